import { describe, expect, test } from "bun:test";
import type { BlockDevice, Contents } from "../../../src/boot/devices/blockdevice.ts";
import { BlockDevices } from "../../../src/boot/devices/blockdevices.ts";
import type { Boot } from "../../../src/boot/context.ts";
import { Storage } from "../../../src/boot/storage/storage.ts";
import { chooseRoot, findRoot, mountRoot } from "../../../src/boot/root.ts";
import type { ErrnoCode } from "../../../syscalls/errno.ts";
import { type FakeOptions, attribute, device, fakeKernel } from "../../../syscalls/fake.ts";
import { MS_NOATIME, MS_RDONLY } from "../../../syscalls/index.ts";
import { intercept } from "../../../syscalls/intercept.ts";
import { refusalOf } from "../../../syscalls/methods.ts";
import { bootOn, noLayers } from "../../fixtures/disks-in-memory.ts";

const filesystems = "nodev\ttmpfs\n\text4\n\txfs\n";

function setting(
  line: string,
  options: FakeOptions = {},
  refuse: (flags: number) => ErrnoCode | undefined = () => undefined,
) {
  const kernel = fakeKernel({
    rootfs: { proc: {}, dev: { vda: device("block", "254:0"), null: device("char", "1:3"), shm: {} } },
    mounts: [{ at: "/proc", type: "proc" }],
    disks: { "254:0": { type: "ext4", tree: { etc: {} } } },
    ...options,
  });
  const sys = intercept(kernel.sys, (call, proceed) => {
    const code = call.name === "slow.mount" ? refuse(Number(call.args[3])) : undefined;
    return code === undefined ? proceed() : Promise.reject(refusalOf(call.name, call.args, code));
  });
  return { kernel, ...bootOn(sys, line) };
}

function disk(contents: Partial<Contents> = {}): BlockDevice {
  return {
    name: "vda",
    node: "/dev/vda",
    rdev: "254:0",
    size_bytes: 1 << 20,
    partition: undefined,
    dmName: undefined,
    contents: async () => ({ found: undefined, problem: undefined, ...contents }),
    table: async () => undefined,
  };
}

const ext4 = disk({ found: { type: "ext4", usage: "filesystem" } });

async function mounting(
  ...[line, from, options, refuse]: [
    string,
    BlockDevice?,
    FakeOptions?,
    ((flags: number) => ErrnoCode | undefined)?,
  ]
) {
  const { kernel, boot, lines } = setting(line, options, refuse);
  const loaded: string[] = [];
  const error = await mountRoot(boot, from ?? ext4, "/sysroot", async (type) => void loaded.push(type)).then(
    () => undefined,
    String,
  );
  return { loaded, error, lines, mount: kernel.mounts().find(({ path }) => path === "/sysroot") };
}

describe("mounting the root", () => {
  test("read-only as the superblock says, its module asked for first", async () => {
    expect(await mounting("")).toEqual({
      loaded: ["ext4"],
      error: undefined,
      lines: ["info: mounted /dev/vda (ext4) as the root, read-only"],
      mount: { path: "/sysroot", type: "ext4", dev: "254:0", flags: MS_RDONLY },
    });
  });

  test("rw and rootflags", async () => {
    expect((await mounting("rw rootflags=noatime")).mount?.flags).toBe(MS_NOATIME);
    expect((await mounting("rw rootflags=ro")).mount?.flags).toBe(MS_RDONLY);
    expect((await mounting("rootflags=rw")).mount?.flags).toBe(0);
  });

  test("read-only below an overlay, whatever else is said", async () => {
    for (const words of ["rw", "rootflags=rw", "rw rootflags=rw"])
      expect((await mounting(`rd.overlay=1 ${words}`)).mount?.flags).toBe(MS_RDONLY);
  });

  test("rootfstype: each in its order until one fits", async () => {
    const { loaded, mount } = await mounting("rootfstype=xfs,ext4", disk());
    expect(loaded).toEqual(["xfs", "ext4"]);
    expect(mount?.type).toBe("ext4");
  });

  test("a write-protected disk read-only, with a word", async () => {
    const { mount, lines } = await mounting("rw", ext4, {}, (flags) =>
      (flags & MS_RDONLY) === 0 ? "EROFS" : undefined,
    );
    expect(mount?.flags).toBe(MS_RDONLY);
    expect(lines[0]).toBe("warning: /dev/vda can't be written to; mounting it read-only.");
  });

  test("unknown contents: what the kernel has, or a sentence that it has nothing", async () => {
    const known = { proc: { filesystems: attribute(() => filesystems) } };
    expect((await mounting("", disk(), known)).loaded).toEqual(["ext4"]);
    const none = { proc: { filesystems: attribute(() => "nodev\ttmpfs\n") } };
    expect((await mounting("", disk(), none)).error).toStartWith(
      "UserError: The root /dev/vda holds no filesystem that rdinit can tell",
    );
  });

  for (const [code, words] of [
    ["ENODEV", "as ext4: the kernel does not know this filesystem"],
    ["EINVAL", "as ext4: the kernel refuses its superblock or the mount options (EINVAL)"],
    ["EUCLEAN", "as ext4: the filesystem is damaged and needs its fsck"],
    ["EIO", "as ext4: mount /sysroot: the device reports an input or output error (EIO)"],
  ] as const)
    test(`the kernel says ${code}`, async () => {
      expect((await mounting("", ext4, {}, () => code)).error).toStartWith(
        `UserError: The root /dev/vda can't be mounted ${words}`,
      );
    });

  for (const [name, contents, words] of [
    [
      "a container",
      { found: { type: "crypto_LUKS", usage: "crypto" } },
      "is a LUKS container, not a filesystem.",
    ],
    [
      "two superblocks",
      { problem: "/dev/vda carries two." },
      "The root can't be used: /dev/vda carries two.",
    ],
    [
      "damage",
      { found: { type: "ext4", usage: "filesystem", damaged: "superblock is torn" } },
      "its superblock is torn",
    ],
  ] as const)
    test(`${name} is refused by name, and mounted nowhere`, async () => {
      const { error, loaded } = await mounting("", disk(contents));
      expect(error).toContain(words);
      expect(loaded).toEqual([]);
    });

  test("where no directory can be made, it says so", async () => {
    const { error } = await mounting("", ext4, { missing: ["mkdir"] });
    expect(error).toContain(
      "The directory /sysroot, where the root is to be mounted, can't be made: mkdir /sysroot: ",
    );
  });
});

async function find(boot: Boot): Promise<unknown> {
  const ref = chooseRoot(boot.options.root, false);
  if (typeof ref === "string") return ref;
  const devices = new BlockDevices(boot.sys);
  return findRoot(boot, devices, new Storage(devices, noLayers), ref);
}

describe("root= that can't be waited for", () => {
  for (const [line, words] of [
    ["", "The kernel command line names no root filesystem."],
    ["root=vda", "root= makes no sense: vda is neither a path below /dev"],
    ["root=/dev/null", "root=/dev/null is a character device, not a block device."],
    ["root=/dev/shm", "root=/dev/shm is a directory, not a block device."],
    [`root=/dev/${"x".repeat(300)}`, "can't be examined: statx"],
  ] as const)
    test(line.slice(0, 20), async () => {
      const { boot } = setting(line);
      const error = await find(boot).catch(String);
      expect(error).toStartWith("UserError: ");
      expect(error).toContain(words);
    });
});

test("a root that is no block device is left to hooks, where there are any; a device never is", () => {
  for (const root of [undefined, "", "zfs:tank/root", "nfs", "/srv"])
    expect(chooseRoot(root, true)).toBe("left to hooks");
  expect(chooseRoot("/dev/vda", true)).toEqual({ kind: "path", name: "vda" });
  expect(() => chooseRoot("tank/root", false)).toThrow("root= makes no sense: tank/root is neither");
});
