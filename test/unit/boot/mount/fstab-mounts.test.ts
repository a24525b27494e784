import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChildRequest, ChildResult } from "../../../../src/boot/children/children.ts";
import { type DeviceRef, describeRef } from "../../../../src/boot/devices/deviceref.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { mountFstab } from "../../../../src/boot/mount/fstab-mounts.ts";
import { planFstab, readFstabSettings, readTimeSpan } from "../../../../src/boot/mount/fstab-plan.ts";
import { mapOverlayPaths, overlayPaths } from "../../../../src/boot/mount/overlay-options.ts";
import { parseFstab } from "../../../../src/storage/fstab.ts";
import { type Tree, device, fakeKernel, program, symlink } from "../../../../syscalls/fake.ts";
import { MS_BIND, MS_NOATIME, MS_RDONLY, MS_REC, MS_REMOUNT } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { DisksInMemory, bootOn, diskWith, noLayers } from "../../../fixtures/disks-in-memory.ts";
import { inVirtualTime, settle } from "../../../fixtures/virtual-time.ts";

const usual = { mounts: [], automatic: true };

function planned(real: string, settings = usual as Parameters<typeof planFstab>[2], packed = "") {
  return planFstab(parseFstab(real).entries, parseFstab(packed).entries, settings);
}

const points = (...args: Parameters<typeof planned>) =>
  planned(...args).planned.map(({ mountPoint }) => mountPoint);

const marked = (line: string) => `${line},x-initrd.mount 0 0`;

const read = (line: string) => readFstabSettings(parseCommandLine(line));

const escape = (one: string): string => one.replace(/[\\,:]/g, "\\$&");

describe("what is chosen", () => {
  const fstab = [
    "LABEL=a / ext4 defaults 0 1",
    "LABEL=b /usr/ ext4 noauto 0 2",
    "LABEL=c //var ext4 x-initrd.mount 0 2",
    "LABEL=d /home ext4 defaults 0 2",
    "LABEL=e /srv ext4 x-initrd.mount,noauto 0 2",
    "LABEL=f none swap x-initrd.mount 0 0",
  ].join("\n");
  test("is /usr, and what is marked", () => expect(points(fstab)).toEqual(["/usr", "/var"]));
  test("and what is listed", () =>
    expect(points(fstab, { mounts: ["/home", "/srv/"], automatic: true })).toEqual([
      "/usr",
      "/var",
      "/home",
      "/srv",
    ]));
  test("only that with rd.fstab=0", () =>
    expect(points(fstab, { mounts: ["/home"], automatic: false })).toEqual(["/home"]));

  test.each([
    ["mount.usr=LABEL=u", "LABEL=u auto ro"],
    ["mount.usr=LABEL=u rw rd.fstab=0", "LABEL=u auto rw"],
    ["mount.usr=LABEL=u rd.rw ro", "LABEL=u auto rw"],
    ["mount.usr=LABEL=u rd.ro rw", "LABEL=u auto ro"],
    ["root=LABEL=r rootfstype=btrfs mount.usrflags=subvol=usr rw", "LABEL=r btrfs subvol=usr,rw"],
    [
      "root=LABEL=r rootflags=ro,noatime mount.usr=UUID=x mount.usrfstype=ext4,xfs rw",
      "UUID=x ext4,xfs ro,noatime",
    ],
    ["root=LABEL=r rw", "LABEL=b ext4 noauto"],
    ["mount.usrflags=noatime", "LABEL=b ext4 noauto"],
  ])("for %s, /usr is %s", (line, wanted) => {
    const [usr, ...more] = planned(fstab, read(line).settings).planned.filter(
      ({ mountPoint }) => mountPoint === "/usr",
    );
    expect(more).toEqual([]);
    expect(`${usr?.device} ${usr?.types.join(",") || "auto"} ${usr?.options}`).toBe(wanted);
    const isOwn = wanted.startsWith("LABEL=b");
    expect(usr?.from).toBe(isOwn ? "its line in /etc/fstab" : "mount.usr= on the kernel command line");
  });

  test("comes from the image when the root has no line for it; nowhere, and it is told", () => {
    const settings = { mounts: ["/etc", "/opt"], automatic: true };
    const { planned: mounts, complaints } = planned(
      "",
      settings,
      "LABEL=e /etc ext4 ro 0 2\nLABEL=u /usr ext4 ro 0 2",
    );
    expect(mounts.map((mount) => `${mount.device} ${mount.mountPoint}`)).toEqual(["LABEL=e /etc"]);
    expect(complaints).toEqual(["/opt of rd.mounts= is not mounted: fstab has no line for it."]);
  });

  test("what a mount needs comes first, and fstab's order holds for the rest", () => {
    const lines = [
      "/data/lib /b/c none bind",
      "LABEL=z /z ext4 ro",
      "overlay /o overlay lowerdir=/z/one:/b/c,upperdir=/y/up,workdir=/y/work",
      "LABEL=b /b ext4 ro",
      "LABEL=y /y ext4 ro",
      "LABEL=d /data ext4 ro",
    ];
    expect(points(lines.map(marked).join("\n"))).toEqual(["/b", "/data", "/b/c", "/z", "/y", "/o"]);
    // Two that need each other are in the order of the file, and end.
    expect(points(["/b /a none bind", "/a /b none bind"].map(marked).join("\n"))).toEqual(["/b", "/a"]);
  });

  test("each by its kind", () => {
    const kinds = [
      ["/x /m none bind", "bind"],
      ["/x /m none rbind", "bind"],
      ["o /m overlay lowerdir=/a", "overlay"],
      ["t /m tmpfs size=1m", "virtual"],
      ["server:/x /m nfs ro", "network"],
      ["/dev/x /m ext4 _netdev", "network"],
      ["/x.img /m ext4 ro", "file"],
      ["/dev/x /m ext4 loop", "file"],
      ["UUID=1 /m auto ro", "device"],
    ] as const;
    for (const [line, kind] of kinds) expect(planned(`${line},x-initrd.mount`).planned[0]?.kind).toBe(kind);
  });
});

test("rd.mounts= and rd.fstab=", () => {
  expect(read("rd.mounts=/var,/etc rd.mounts=/opt").settings.mounts).toEqual(["/var", "/etc", "/opt"]);
  expect(read("rd.mounts=/var rd.mounts= rd.fstab=0").settings).toEqual({ mounts: [], automatic: false });
  expect(read("rd.mounts=var,/ rd.fstab=perhaps").complaints).toEqual([
    "var in rd.mounts= is ignored: it is no mount point below /.",
    "/ in rd.mounts= is ignored: it is no mount point below /.",
    "rd.fstab=perhaps is ignored: it is neither 0 nor 1. Usage: rd.fstab=0|1.",
  ]);
});

test("time spans as systemd.time(7) has them", () => {
  const table = {
    "90": 90_000,
    "1min 30s": 90_000,
    "1min30": 90_000,
    "500ms": 500,
    "1.5h": 5_400_000,
    infinity: "for ever",
    "0": "for ever",
  };
  for (const [span, expected] of Object.entries(table)) expect(readTimeSpan(span)).toBe(expected as number);
  for (const span of [undefined, "", "soon", "1 fortnight", "-1s", "1toString"])
    expect(readTimeSpan(span)).toBeUndefined();
});

describe("overlay options", () => {
  test("name directories, in lists and with escapes", () => {
    const options = String.raw`ro,lowerdir=/a:/b\:c::/d,upperdir=/u\,x,workdir=/w,lowerdir+=/e:f,redirect_dir=on`;
    expect(mapOverlayPaths(options, (path) => `/new${path}`)).toBe(
      String.raw`ro,lowerdir=/new/a:/new/b\:c::/new/d,upperdir=/new/u\,x,workdir=/new/w,lowerdir+=/new/e:f,redirect_dir=on`,
    );
    expect(overlayPaths(options)).toEqual(["/a", "/b:c", "/d", "/u,x", "/w", "/e:f"]);
  });

  test("come out as they went in, whatever characters the paths have", () => {
    // A backslash in front of the comma escapes that, for libmount whatever stands before it.
    const path = fc.stringMatching(/^\/[a-z:,\\ ]{0,8}[a-z]$/);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 4 }), (paths) => {
        const options = `lowerdir=${paths.map(escape).join(":")},ro`;
        expect(overlayPaths(options)).toEqual(paths);
        expect(mapOverlayPaths(options, (one) => one)).toBe(options);
      }),
    );
  });
});

const root: Tree = { etc: {}, usr: {}, var: {}, srv: { lib: {} }, opt: {}, out: symlink("/"), run: {} };

async function mounting(content: string, { line = "", tree = root, fstab = content as Tree[string] } = {}) {
  const kernel = fakeKernel({
    rootfs: {
      proc: {},
      sys: {},
      sysroot: {},
      usr: { sbin: { e2fsck: program() } },
      dev: { vdb: device("block", "254:16") },
    },
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/sys", type: "sysfs" },
      { at: "/sysroot", type: "ext4", dev: "254:0", source: "/dev/vda", tree: { ...tree, etc: { fstab } } },
    ],
    disks: { "254:16": { type: "ext4", tree: { lib: {} } } },
  });
  const binds: unknown[][] = [];
  // The kernel in memory has no bind mounts, and no overlays.
  const sys = intercept(kernel.sys, (call, proceed) => {
    const special = call.name === "mount" || (call.name === "slow.mount" && call.args[2] === "overlay");
    if (!special) return proceed();
    binds.push([...call.args]);
    return call.name === "mount" ? undefined : Promise.resolve();
  });
  const { boot, lines } = bootOn(sys, line);
  const disks = new DisksInMemory(sys, [
    diskWith("vda", "254:0", { type: "ext4", usage: "filesystem", uuid: "a" }),
    diskWith("vdb", "254:16", { type: "ext4", usage: "filesystem", uuid: "b" }),
  ]);
  const checked: string[] = [];
  const run = async (_: Boot, { argv }: ChildRequest): Promise<ChildResult> => {
    checked.push(argv.at(-1) ?? "");
    return { end: { kind: "exited", status: 0 }, output: "" };
  };
  const [loaded, needed]: string[][] = [[], []];
  const layers = { ...noLayers, need: (ref: DeviceRef) => void needed?.push(describeRef(ref)) };
  const load = async (type: string): Promise<void> => void loaded?.push(type);
  const error = await mountFstab(boot, disks, layers, load, run).then(() => undefined, String);
  const seen = kernel.mounts().filter(({ path }) => path.startsWith("/sysroot/"));
  const shown = lines.filter((each) => !each.startsWith("debug"));
  return { error, seen, checked, binds, loaded, needed, files: kernel.files(), lines: shown };
}

describe("mounting", () => {
  test("a device, checked before, with its options", async () => {
    const { error, seen, checked, loaded, needed, files, lines } = await mounting(
      "UUID=b /usr ext4 ro,noatime,x-any 0 2",
    );
    expect(error).toBeUndefined();
    expect(seen).toEqual([
      { path: "/sysroot/usr", type: "ext4", dev: "254:16", flags: MS_RDONLY | MS_NOATIME },
    ]);
    expect(checked).toEqual(["/dev/vdb"]);
    expect(loaded).toEqual(["ext4"]);
    expect(needed).toEqual([]);
    expect(files).toContain("/run/initramfs/fsck-usr");
    expect(lines).toEqual(["info: mounted /dev/vdb (ext4) on /usr, read-only"]);
  });

  test("a tmpfs, and what is mounted already stays", async () => {
    const twice = "tmp /var tmpfs mode=0700,x-initrd.mount\n".repeat(2);
    const { seen, loaded, lines } = await mounting(twice);
    expect(seen.map(({ path, type }) => `${path} ${type}`)).toEqual(["/sysroot/var tmpfs"]);
    expect(loaded).toEqual(["tmpfs"]);
    expect(lines).toEqual(["info: mounted /var (tmpfs)"]);
  });

  test("another view of the root's own device is not checked", async () => {
    const { checked } = await mounting("UUID=a /var ext4 x-initrd.mount 0 2");
    expect(checked).toEqual([]);
  });

  test("a device other than /usr's is checked without a word to systemd, and a volume is put together for it", async () => {
    const { files } = await mounting("UUID=b /var ext4 x-initrd.mount 0 2");
    expect(files.filter((path) => path.includes("fsck-"))).toEqual([]);
    const { needed } = await mounting("/dev/vg/var /var ext4 x-initrd.mount", { line: "rd.timeout=0.001" });
    expect(needed).toEqual(["/dev/vg/var"]);
  });

  test("an fstab that can't be read is told, and nothing else", async () => {
    const { error, lines } = await mounting("", { tree: { etc: {} }, fstab: symlink("fstab") });
    expect(error).toBeUndefined();
    expect(lines).toEqual([
      expect.stringMatching(/^warning: the fstab of \/sysroot can't be read: .* more than 40 links\.$/),
    ]);
  });

  test("a mount point is looked for inside the root, through links too", async () => {
    const { seen } = await mounting("tmp /out/srv tmpfs x-initrd.mount");
    expect(seen.map(({ path }) => path)).toEqual(["/sysroot/srv"]);
  });

  test("bind mounts take their flags afterwards", async () => {
    const { binds } = await mounting(
      "/srv /opt none rbind,ro,x-initrd.mount\n/srv/lib /var none bind,x-initrd.mount",
    );
    expect(binds).toEqual([
      ["/sysroot/srv", "/sysroot/opt", "", MS_BIND | MS_REC, ""],
      ["", "/sysroot/opt", "", MS_BIND | MS_REMOUNT | MS_RDONLY, ""],
      ["/sysroot/srv/lib", "/sysroot/var", "", MS_BIND, ""],
    ]);
  });

  test("an overlay has its layers in the new root", async () => {
    const line = "overlay /opt overlay lowerdir=/out/usr:/opt,upperdir=/srv,workdir=/srv/lib,x-initrd.mount";
    expect((await mounting(line)).binds).toEqual([
      [
        "overlay",
        "/sysroot/opt",
        "overlay",
        0,
        "lowerdir=/sysroot/usr:/sysroot/opt,upperdir=/sysroot/srv,workdir=/sysroot/srv/lib",
      ],
    ]);
  });

  for (const [line, words] of [
    ["UUID=c /usr ext4 ro", "The device of /usr, UUID=c, did not appear."],
    ["tmp /none tmpfs x-initrd.mount", "/none can't be mounted: the root has no such directory."],
    [
      "server:/usr /usr nfs ro",
      "/usr can't be mounted before the real init runs: it comes from the network.",
    ],
    [
      "/usr.img /usr ext4 ro",
      "/usr can't be mounted before the real init runs: it is in a file of another filesystem.",
    ],
    [
      "/gone /usr none bind",
      "/usr can't be mounted: /gone, which it is to show, does not exist in the root.",
    ],
    [
      "o /usr overlay lowerdir=/gone",
      "/usr can't be mounted: /gone, a layer of it, does not exist in the root.",
    ],
    ["KEY=x /usr ext4 ro", "/usr can't be mounted: KEY=x is neither a path below /dev"],
    ["UUID=b /usr xfs ro", "The filesystem for /usr, /dev/vdb can't be mounted as xfs: "],
  ] as const)
    test(`a fault stops the boot, and with nofail it does not: ${line}`, async () => {
      const options = { line: "rd.timeout=0.001" };
      expect((await mounting(line, options)).error).toStartWith(`UserError: ${words}`);
      const { error, lines } = await mounting(`${line},nofail`, options);
      expect(error).toBeUndefined();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toStartWith(`warning: ${words}`);
      expect(lines[0]).toMatch(/ The boot goes on, as fstab says nofail for \/(usr|none)\.$/);
    });

  test("nofail keeps no boot waiting that waits for its root for ever", async () => {
    await inVirtualTime(async (advance) => {
      const end = mounting("UUID=c /usr ext4 nofail", { line: "rootwait" });
      await settle();
      await advance(30_000);
      expect((await end).error).toBeUndefined();
      let isOver = false;
      for (const fstab of ["UUID=c /usr ext4", "UUID=c /usr ext4 nofail,x-systemd.device-timeout=0"])
        void mounting(fstab, { line: "rootwait" }).then(() => (isOver = true));
      await advance(1_000_000);
      expect(isOver).toBe(false);
    });
  });

  test("rd.fstab=0 reads nothing", async () => {
    const { error, seen } = await mounting("UUID=c /usr ext4 ro", { line: "rd.fstab=0" });
    expect([error, seen]).toEqual([undefined, []]);
  });
});
