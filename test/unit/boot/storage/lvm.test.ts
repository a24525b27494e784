import { describe, expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import type { ChildRequest, ChildResult } from "../../../../src/boot/children/children.ts";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Member } from "../../../../src/boot/storage/layer.ts";
import { type DeviceRef, parseDeviceRef } from "../../../../src/boot/devices/deviceref.ts";
import { LvmLayer } from "../../../../src/boot/storage/lvm.ts";
import { parseGroup } from "../../../../src/boot/storage/lvm-group.ts";
import { planGroups, wantsOf } from "../../../../src/boot/storage/lvm-plan.ts";
import { readLvmSettings } from "../../../../src/boot/storage/lvm-settings.ts";
import { type Tree, attribute, device, fakeKernel } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { diskWith } from "../../../fixtures/disks-in-memory.ts";
import { GROUP_TEXT, PHYSICAL, groupText, physicalVolume } from "../../../fixtures/lvm.ts";

/** What lvm answers; by default it makes the devices of the volumes that it is asked for. */
type Answer = (volumes: readonly string[]) => ChildResult;

const DISKS = ["vda", "vdb"] as const;
const LAST_SEEN = `${PHYSICAL[1]} (last seen as /dev/vdb)`;

/** A machine with the two disks of the group, an lvm that answers, and a layer that can be shown the disks. */
function machine(line: string, { answer, text = GROUP_TEXT }: { answer?: Answer; text?: string } = {}) {
  const active: string[] = [];
  const contents = DISKS.map((_, at) => physicalVolume({ text, id: PHYSICAL[at] ?? "" }));
  const sysfsOf = (at: number): Tree => ({
    uevent: `MAJOR=8\nMINOR=${at}\nDEVNAME=${DISKS[at]}\n`,
    size: "8192\n",
    queue: { logical_block_size: "512\n" },
  });
  // Four devices that device-mapper may come to have; those without a name are not there yet.
  const mapped = Array.from({ length: 4 }, (_, at): [string, Tree] => [
    `dm-${at}`,
    {
      dev: attribute(() => (active[at] === undefined ? "" : `253:${at}\n`)),
      size: "8\n",
      dm: {
        name: attribute(() => `${active[at] ?? ""}\n`),
        uuid: `LVM-${"a".repeat(63)}${at}\n`,
        suspended: "0\n",
      },
    },
  ]);
  const { sys } = fakeKernel({
    rootfs: {
      sys: { class: { block: { vda: sysfsOf(0), vdb: sysfsOf(1), ...Object.fromEntries(mapped) } } },
      dev: { vda: device("block", "8:0"), vdb: device("block", "8:1") },
      run: {},
    },
    devices: Object.fromEntries(
      contents.map((bytes, at) => [
        `block 8:${at}`,
        { read: (length: number, offset: number) => bytes.subarray(offset, offset + length) },
      ]),
    ),
  });
  const { boot, lines } = bootOn(sys, line);
  const requests: ChildRequest[] = [];
  const modules: string[] = [];
  const waiters: (() => void)[] = [];
  const wake = (): void => {
    for (const waiter of waiters.splice(0)) waiter();
  };
  const layer = new LvmLayer(
    boot,
    { changed: wake, loadModules: async (names) => void modules.push(...names) },
    readLvmSettings(boot.words).settings,
    async (_, request) => {
      requests.push(request);
      const volumes = request.argv.slice(request.argv.indexOf("--config") + 2);
      if (answer !== undefined) return answer(volumes);
      for (const volume of volumes)
        active.push(
          volume
            .split("/")
            .map((name) => name.replaceAll("-", "--"))
            .join("-"),
        );
      return { end: { kind: "exited", status: 0 }, output: "" };
    },
  );
  const devices = new BlockDevices(sys);
  devices.scan();
  const changed = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await changed();
  };
  /** Shows these disks to the layer and waits until it has nothing to do, or for what is said. */
  const show = async (names: readonly string[], done = () => !layer.isBusy()): Promise<void> => {
    const found = await Promise.all(
      names.map(async (name): Promise<Member[]> => {
        const disk = devices.get(name);
        const read = (await disk?.contents())?.found;
        return disk === undefined || read === undefined ? [] : [{ device: disk, found: read }];
      }),
    );
    layer.update(found.flat());
    await until(done);
  };
  /** The volumes of each command. */
  const asked = (): string[] =>
    requests.map(({ argv }) => argv.slice(argv.indexOf("--config") + 2).join(" "));
  return { layer, show, until, asked, requests, modules, lines, sys };
}

const visible = "vg-a/lv-b vg-a/both vg-a/mirrored vg-a/origin vg-a/before vg-a/slim vg-a/pool";

describe("which volumes", () => {
  for (const [line, expected] of [
    ["root=UUID=1234", [visible]],
    ["", [visible]],
    ["root=/dev/dm-0", [visible]],
    ["root=/dev/vg-a/lv-b", ["vg-a/lv-b"]],
    ["root=/dev/mapper/vg--a-lv--b", ["vg-a/lv-b"]],
    // A name that is no volume's may be that of an encrypted one.
    ["root=/dev/mapper/clear", [visible]],
    ["root=/dev/mapper/vg--a-clear", [visible]],
    ["root=/dev/mapper/clear rd.lvm.lv=vg-a/both", ["vg-a/both"]],
    ["root=UUID=1234 rd.lvm.lv=vg-a/both rd.lvm.lv=vg-a/slim", ["vg-a/both vg-a/slim"]],
    ["root=UUID=1234 rd.lvm.vg=vg-a", [visible]],
    ["root=/dev/vg-a/lv-b rd.lvm.lv=vg-a/both", ["vg-a/lv-b vg-a/both"]],
    [
      "root=/dev/vg-a/lv-b rd.lvm.vg=vg-a",
      ["vg-a/lv-b", "vg-a/both vg-a/mirrored vg-a/origin vg-a/before vg-a/slim vg-a/pool"],
    ],
    ["root=UUID=1234 rd.lvm.vg=another", []],
    ["root=/dev/another/lv-b", []],
    ["root=/dev/disk/by-id/x", [visible]],
    ["root=253:0", [visible]],
    ["root=LABEL=x", [visible]],
    ["root=/dev/vda1", []],
    ["root=PARTUUID=1234-01", []],
    ["root=/dev/vg-a/lv-b rd.lvm=0", []],
    ["root=UUID=1234 rd.lvm=0", []],
  ] as const)
    test(`${line || "no root"}: ${expected.join("; ") || "none"}`, async () => {
      const { show, asked, layer } = machine(line);
      await show(DISKS);
      expect(asked()).toEqual([...expected]);
      expect(layer.isBusy()).toBeFalse();
      await layer.stop();
    });

  test("one that the boot needs besides the root is added", async () => {
    const { show, asked, layer } = machine("root=/dev/vg-a/lv-b");
    layer.need({ kind: "path", name: "vg-a/both" });
    await show(DISKS);
    expect(asked()).toEqual(["vg-a/lv-b vg-a/both"]);
  });

  test("one that the boot needs after the root is activated then", async () => {
    const { show, asked, layer } = machine("root=/dev/vda1");
    await show(DISKS);
    expect(asked()).toEqual([]);
    layer.need({ kind: "path", name: "vg-a/both" });
    await layer.stop();
    expect(asked()).toEqual(["vg-a/both"]);
  });

  test("a volume that is active is let be, and shown again is not activated again", async () => {
    const { show, asked } = machine("root=/dev/vg-a/lv-b");
    await show(DISKS);
    await show(DISKS);
    expect(asked()).toEqual(["vg-a/lv-b"]);
  });
});

function refOf(written: string): DeviceRef {
  const ref = parseDeviceRef(written);
  if (typeof ref === "string") throw new Error(ref);
  return ref;
}

function wants(...needs: readonly string[]) {
  return wantsOf(readLvmSettings([]).settings, needs.map(refOf));
}

describe("what a boot needs", () => {
  test("is anything when one of its devices is known by what it holds alone", () => {
    expect(wants("/dev/vg-a/lv-b").any).toBe(false);
    expect(wants("/dev/vg-a/lv-b", "UUID=1234").any).toBe(true);
  });

  test.each(["vda", "md/root", "disk/by-id/ata-a", "a/b/c", "-a/b", "a/-b", "vg/.."])(
    "no volume when it is /dev/%s",
    (path) => {
      expect(wantsOf(readLvmSettings([]).settings, [{ kind: "path", name: path }]).volumes).toEqual([]);
    },
  );

  test("the volume of one group has none of another activated", () => {
    const [group, other] = [GROUP_TEXT, groupText({ name: "other" })].map(parseGroup);
    if (typeof group !== "object" || typeof other !== "object") throw new Error("they can be read");
    const present = [group, { ...other, id: "another" }].map((one) => ({ id: PHYSICAL[0], group: one }));
    const plans = planGroups(present, wants("/dev/mapper/other-both"), new Set());
    expect(plans.map(({ wanted }) => wanted.map(({ volume }) => volume.name))).toEqual([["both"], []]);
  });
});

describe("the command", () => {
  test("names the volume, the disks that may be looked at, and no udev", async () => {
    const { show, requests, modules, lines, sys } = machine("root=/dev/vg-a/slim");
    await show(DISKS);
    const [request] = requests;
    expect(request?.argv.slice(0, 8)).toEqual([
      ...["lvm", "lvchange", "--yes", "--sysinit", "--nolocking", "-ay", "--ignoreactivationskip"],
      "--activationmode",
    ]);
    expect(request?.argv[8]).toBe("complete");
    expect(request?.argv[10]).toContain('filter=["a|^/dev/vda$|","a|^/dev/vdb$|","r|.*|"]');
    expect(request?.env).toMatchObject({ DM_DISABLE_UDEV: "1", LC_ALL: "C" });
    expect(request?.deadline_ms).toBe(60_000);
    expect(modules).toEqual(["dm_mod", "dm_thin_pool"]);
    expect(lines).toContain("info: lvm activated vg-a/slim");
    expect(sys.readlink("/dev/vg-a/slim")).toBe("../dm-0");
  });

  test("without a name it takes what lvm.conf lets be activated by itself", async () => {
    const { show, requests } = machine("root=UUID=1234");
    await show(DISKS);
    expect(requests[0]?.argv.slice(5, 7)).toEqual(["-aay", "--activationmode"]);
  });

  test("that fails is a sentence with its last words, and is not tried again for nothing", async () => {
    const { show, asked, layer } = machine("root=/dev/vg-a/lv-b", {
      answer: () => ({
        end: { kind: "exited", status: 5 },
        output: "  WARNING: x\n  Cannot access VG vg-a.\n",
      }),
    });
    await show(DISKS);
    await show(DISKS);
    expect(asked()).toEqual(["vg-a/lv-b"]);
    expect(layer.problems()).toEqual([
      "lvm did not activate vg-a/lv-b: it ended with status 5; its last words: Cannot access VG vg-a.",
    ]);
  });

  test("without lvm in the image", async () => {
    const { show, layer } = machine("root=UUID=1234", {
      answer: () => ({ end: { kind: "failed", why: "is not in the image" }, output: "" }),
    });
    await show(DISKS);
    expect(layer.problems()).toEqual(["lvm did not activate 7 volumes of vg-a: it is not in the image"]);
  });
});

describe("a group that is not complete", () => {
  test("is waited for by name, and activated when the other disk comes", async () => {
    const { show, asked, layer } = machine("root=/dev/vg-a/both");
    await show(["vda"]);
    expect(asked()).toEqual([]);
    expect(layer.waitsFor()).toEqual(["volume group vg-a has 1 of 2 physical volumes (missing 8Xqd1s…)"]);
    expect(layer.problems()).toEqual([
      `The volume group vg-a has 1 of 2 physical volumes; missing: ${LAST_SEEN}. ` +
        "rd.lvm.activationmode=degraded (for RAID) or =partial activates what it can without them.",
    ]);
    await show(DISKS);
    expect(asked()).toEqual(["vg-a/both"]);
    expect([...layer.waitsFor(), ...layer.problems()]).toEqual([]);
    await layer.stop();
  });

  test("a volume that lies on the disks that are there does not wait", async () => {
    const { show, asked, layer } = machine("root=/dev/vg-a/lv-b");
    await show(["vda"]);
    expect(asked()).toEqual(["vg-a/lv-b"]);
    expect(layer.waitsFor()).toEqual([]);
    await layer.stop();
  });

  test("of all volumes, those that can be are activated", async () => {
    const { show, asked, layer } = machine("root=UUID=1234");
    await show(["vda"]);
    expect(asked()).toEqual(["vg-a/lv-b"]);
    expect(layer.waitsFor()).toHaveLength(1);
    await show(DISKS);
    expect(asked()[1]).toBe("vg-a/both vg-a/mirrored vg-a/origin vg-a/before vg-a/slim vg-a/pool");
    await layer.stop();
  });

  for (const mode of ["degraded", "partial"])
    test(`${mode}, when the parameters say so, after the timeout`, async () => {
      const { show, requests, layer, lines, until } = machine(
        `root=/dev/vg-a/mirrored rd.lvm.activationmode=${mode} rd.lvm.timeout=0.1`,
      );
      await show(["vda"], () => layer.waitsFor().length > 0);
      expect(requests).toEqual([]);
      expect(layer.isBusy()).toBeTrue();
      expect(layer.waitsFor()).toEqual([
        `volume group vg-a has 1 of 2 physical volumes (missing 8Xqd1s…; ${mode} activation after 0.1 s)`,
      ]);
      await until(() => requests.length > 0);
      expect(requests[0]?.argv.slice(7, 9)).toEqual(["--activationmode", mode]);
      expect(lines).toContain(
        `warning: the volume group vg-a lacks ${PHYSICAL[1]}; vg-a/mirrored is activated all the same, ` +
          `as rd.lvm.activationmode=${mode} says.`,
      );
      await layer.stop();
    });
});

describe("what has gone wrong", () => {
  for (const [line, problem] of [
    [
      "root=/dev/vg-a/roto",
      "The volume group vg-a has no logical volume roto; it has lv-b, both, mirrored, origin, before, slim, pool.",
    ],
    ["root=/dev/other/root", "No physical volume of the volume group other is there."],
    ["rd.lvm.vg=other", "No physical volume of the volume group other is there."],
  ] as const)
    test(line, async () => {
      const { show, layer } = machine(line);
      await show(DISKS);
      expect(layer.problems()).toEqual([problem]);
    });

  test("rd.lvm=0 with a physical volume", async () => {
    const { show, layer } = machine("root=/dev/vg-a/lv-b rd.lvm=0");
    await show(["vda"]);
    expect(layer.problems()).toEqual(["/dev/vda is left alone, as rd.lvm=0 says."]);
    expect(layer.waitsFor()).toEqual([]);
  });

  test("of damaged physical volumes and those on logical volumes nothing is made, and nothing told", async () => {
    const { layer } = machine("rd.lvm=0");
    const found = { type: "LVM2_member", usage: "raid" } as const;
    layer.update([
      { device: diskWith("vda", "8:0", found), found: { ...found, damaged: "LVM2 label is damaged" } },
      { device: { ...diskWith("dm-0", "253:0", found), dmName: "vg--a-lv--b" }, found },
    ]);
    expect(layer.problems()).toEqual([]);
    layer.update([{ device: { ...diskWith("dm-9", "253:9", found), dmName: "clear" }, found }]);
    expect(layer.problems()).toEqual(["/dev/dm-9 is left alone, as rd.lvm=0 says."]);
  });

  test("metadata that can't be read", async () => {
    const { show, layer } = machine("root=UUID=1234", { text: "vg {" });
    await show(["vda"]);
    expect(layer.problems()).toEqual([
      "Of the physical volume /dev/vda, the metadata at 4096 can't be read: byte 4 is the end, and a section is still open.",
    ]);
  });

  test("after the end nothing begins", async () => {
    const { show, layer, requests } = machine("root=/dev/vg-a/lv-b");
    await layer.stop();
    await show(DISKS);
    expect(requests).toEqual([]);
  });
});

test("the newest copy of the metadata counts", async () => {
  const { show, asked } = machine("root=/dev/vg-a/lv-b", { text: groupText({ sequence: 9 }) });
  await show(["vda"]);
  expect(asked()).toEqual(["vg-a/lv-b"]);
});

test("parameters that make no sense are complained of", () => {
  const { settings, complaints } = readLvmSettings(
    parseCommandLine(
      "rd.lvm=maybe rd.lvm.vg=-x rd.lvm.lv=a rd.lvm.lv=a/b/c rd.lvm.activationmode=no rd.lvm.timeout=x",
    ),
  );
  expect(complaints).toHaveLength(6);
  expect(complaints[1]).toBe(
    "rd.lvm.vg=-x is ignored: it is not the name of a volume group. Usage: rd.lvm.vg=NAME.",
  );
  expect(settings).toEqual(readLvmSettings([]).settings);
});

test("parameters that do", () => {
  const words =
    "rd.lvm.vg=a rd.lvm.lv=/dev/b/c rd_lvm.lv=d/e-f rd.lvm.lv=d/e-f rd.lvm.timeout=1.5 rd.lvm.activationmode=partial";
  expect(readLvmSettings(parseCommandLine(words.replace("rd_lvm", "rd.lvm"))).settings).toEqual({
    enabled: true,
    groups: ["a"],
    volumes: [
      { group: "b", volume: "c" },
      { group: "d", volume: "e-f" },
      { group: "d", volume: "e-f" },
    ],
    mode: "partial",
    timeout_ms: 1500,
  });
});

test("what is named lacks until it is active", async () => {
  const at = machine("root=/dev/vda1 rd.lvm.lv=vg-a/both rd.lvm.lv=vg-a/none rd.lvm.vg=other rd.lvm.vg=vg-a");
  expect(at.layer.lacks()).toHaveLength(4);
  await at.show(DISKS);
  expect(at.layer.lacks()).toEqual([
    { what: "volume group other", required: false },
    { what: "logical volume vg-a/none", required: false },
  ]);
  await at.layer.stop();
  expect(machine("root=/dev/vg-a/both").layer.lacks()).toEqual([]);
  expect(machine("rd.lvm=0 rd.lvm.vg=other").layer.lacks()).toEqual([]);
});
