import { describe, expect, test } from "bun:test";
import type { BlockDevice } from "../../../../src/boot/devices/blockdevice.ts";
import { findIso } from "../../../../src/boot/live/iso-scan.ts";
import { mountLive } from "../../../../src/boot/live/live.ts";
import { coverRoot } from "../../../../src/boot/live/overlay.ts";
import { livePlaces } from "../../../../src/boot/live/places.ts";
import { isMountPoint } from "../../../../src/boot/mount/mounts.ts";
import { moveKernelMounts } from "../../../../src/boot/handover/moves.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import type { Found } from "../../../../src/probe/superblock.ts";
import { type FakeOptions, attribute, device, fakeKernel } from "../../../../syscalls/fake.ts";
import { LOOP_CTL_GET_FREE, MS_RDONLY, type Syscalls, mkdirs } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { DisksInMemory, bootOn, diskWith, noLayers } from "../../../fixtures/disks-in-memory.ts";
import { earlyMachine } from "../../../fixtures/early-machine.ts";

const squashfs: Found = { type: "squashfs", usage: "filesystem" };
const ext4: Found = { type: "ext4", usage: "filesystem", label: "LIVE", uuid: "1-2" };

/** A squashfs of so many bytes, as far as its superblock goes. */
function image(said_bytes: number, held_bytes = said_bytes): Uint8Array {
  const bytes = new Uint8Array(held_bytes);
  bytes.set(Buffer.from("hsqs"));
  new DataView(bytes.buffer).setBigUint64(40, BigInt(said_bytes), true);
  return bytes;
}

function disksOf(sys: Syscalls): DisksInMemory {
  return new DisksInMemory(sys, [
    diskWith("vda", "254:0", ext4),
    diskWith("vdb", "254:16", squashfs),
    diskWith("vdc", "254:32", { ...ext4, label: "changes" }),
    diskWith("loop0", "7:0", squashfs),
  ]);
}

/** A machine with a live stick (vda), a bare squashfs (vdb) and a disk for changes (vdc). */
function machine(
  options: FakeOptions = {},
  stick: FakeOptions["rootfs"] = { LiveOS: { "squashfs.img": image(8192) } },
) {
  const kernel = fakeKernel({
    rootfs: {
      proc: {},
      run: {},
      sysroot: {},
      dev: {
        vda: device("block", "254:0"),
        vdb: device("block", "254:16"),
        vdc: device("block", "254:32"),
        loop0: device("block", "7:0"),
        "loop-control": device("char", "10:237"),
      },
    },
    mounts: [
      { at: "/proc", type: "proc" },
      { at: "/run", type: "tmpfs" },
    ],
    proc: { meminfo: attribute(() => "MemTotal: 2000000 kB\nMemAvailable:   1000000 kB\n") },
    disks: {
      "254:0": { type: "ext4", tree: stick },
      "254:16": { type: "squashfs", tree: { sbin: {} } },
      "254:32": { type: "ext4", tree: {} },
      "7:0": { type: "squashfs", tree: { sbin: {} } },
    },
    devices: {
      "char 10:237": { ioctl: (request) => (request === LOOP_CTL_GET_FREE ? 0 : -1) },
      "block 7:0": { ioctl: () => 0 },
      "block 254:16": {
        read: (length, offset) => image(8192).subarray(offset, offset + length),
      },
    },
    ...options,
  });
  return kernel;
}

/** The fake kernel has neither overlays nor bind mounts: those mounts are noted, and a tmpfs stands for an overlay. */
function withOverlays(sys: Syscalls, seen: string[]): Syscalls {
  return intercept(sys, (call, proceed) => {
    if (call.name !== "slow.mount" || call.args[2] !== "overlay") return proceed();
    seen.push(String(call.args[4]));
    return sys.slow.mount("tmpfs", String(call.args[1]), "tmpfs", 0, "");
  });
}

interface Try {
  readonly line: string;
  readonly stick?: FakeOptions["rootfs"];
  readonly options?: FakeOptions;
  readonly around?: (sys: Syscalls) => Syscalls;
}

/** Mounts the live root on `name` and covers it. */
async function living(name: string, { line, stick, options, around = (sys) => sys }: Try) {
  const kernel = machine(options, stick);
  const overlays: string[] = [];
  const sys = around(withOverlays(kernel.sys, overlays));
  const { boot, lines } = bootOn(sys, line);
  const devices = disksOf(sys);
  const loaded: string[] = [];
  const loadModules = async (names: readonly string[]): Promise<void> => void loaded.push(...names);
  const means = { boot, devices, layers: noLayers, loadModules };
  const attempt = async (): Promise<unknown> => {
    try {
      // As init.ts has it: a root that is mounted is taken.
      if (!isMountPoint(kernel.sys, "/sysroot"))
        await mountLive(means, devices.get(name) as BlockDevice, "/sysroot");
      await coverRoot(means, "/sysroot");
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const error = await attempt();
  const mounts = kernel
    .mounts()
    .map(({ path, type, flags }) => `${path} ${type} ${(flags & MS_RDONLY) === 0 ? "rw" : "ro"}`);
  return { kernel, boot, lines, loaded, overlays, error, mounts: mounts.slice(3), attempt };
}

test("a disc's image that can't be shown is looked for again at the next try, and fails in the same words", async () => {
  const { sys } = machine({
    rootfs: { proc: {}, run: {}, dev: { vda: device("block", "254:0") } },
    disks: { "254:0": { type: "ext4", tree: { "a.iso": image(8192) } } },
  });
  const { boot } = bootOn(sys, "iso-scan/filename=/a.iso rd.timeout=0.001");
  const devices = new DisksInMemory(sys, [diskWith("vda", "254:0", ext4)]);
  const means = { boot, devices, layers: noLayers, loadModules: async () => undefined };
  for (let attempt = 0; attempt < 2; attempt++)
    expect(await findIso(means, "a.iso").catch(String)).toStartWith(
      "UserError: The disc image a.iso can't be used: the kernel has no loop devices,",
    );
});

describe("a live root", () => {
  test("from a file on the device, covered in memory", async () => {
    const { error, mounts, loaded, overlays, lines, kernel } = await living("vda", {
      line: "root=live:LABEL=LIVE",
    });
    expect(error).toBeUndefined();
    expect(mounts).toEqual([
      "/run/initramfs/live ext4 ro",
      "/run/rootfsbase squashfs ro",
      "/run/overlayfs tmpfs rw",
      "/sysroot tmpfs rw",
    ]);
    expect(overlays).toEqual([
      "lowerdir=/run/rootfsbase,upperdir=/run/overlayfs/upper,workdir=/run/overlayfs/work",
    ]);
    expect(loaded).toEqual(["fs-ext4", "loop", "fs-squashfs", "fs-overlay"]);
    expect(lines.filter((line) => !line.startsWith("debug: "))).toEqual([
      "info: mounted /dev/vda (ext4) as the live device, read-only",
      "info: mounted /dev/loop0 (squashfs) as the root, from the image LiveOS/squashfs.img on /dev/vda, read-only",
      "info: covered the root with an overlay in memory (at most 50% of it): changes are lost when the machine goes off",
    ]);
    expect([...kernel.machine.fds.keys()]).toEqual([]);
  });

  test("that is the device itself, without an overlay", async () => {
    const line = "root=live:/dev/vdb rd.overlay=0 rootflags=rw";
    const { error, mounts } = await living("vdb", { line });
    expect(error).toBeUndefined();
    expect(mounts).toEqual(["/sysroot squashfs ro"]);
  });

  test("in memory: as much as the image says it has, and the device is let go of", async () => {
    const stick = { LiveOS: { "squashfs.img": image(5000, 20_000) } };
    const { error, mounts, lines, kernel } = await living("vda", {
      line: "root=live:/dev/vda rd.live.ram",
      stick,
    });
    expect(error).toBeUndefined();
    expect(mounts).toEqual([
      "/run/initramfs/ram tmpfs rw",
      "/run/rootfsbase squashfs ro",
      "/run/overlayfs tmpfs rw",
      "/sysroot tmpfs rw",
    ]);
    expect(lines).toContain("notice: copying the image LiveOS/squashfs.img on /dev/vda (1 MiB) to memory");
    // Filled up to a page.
    expect(kernel.sys.stat(-100, "/run/initramfs/ram/image").size).toBe(8192);
  });

  test("is covered once, however often the boot is tried", async () => {
    const { overlays, boot, mounts } = await living("vdb", { line: "root=live:/dev/vdb" });
    expect(mounts).toHaveLength(3);
    const means = {
      boot,
      devices: new DisksInMemory(boot.sys, []),
      layers: noLayers,
      loadModules: async () => {},
    };
    await coverRoot(means, "/sysroot");
    expect(overlays).toHaveLength(1);
  });

  test("what holds it up goes along into the real root; nothing else below /run does", () => {
    const { sys } = earlyMachine({ mounts: [] });
    for (const path of [...Object.values(livePlaces), "/run/other"]) {
      mkdirs(sys, path);
      sys.mount("tmpfs", path, "tmpfs", 0, "");
    }
    const { below, left } = moveKernelMounts(sys, bootOn(sys, "").boot.log, "/sysroot");
    expect(below).toEqual(["/run/other", "/dev/pts"]);
    expect(left).toEqual([]);
  });
});

describe("a live root that can't be had leaves nothing mounted, and a sentence", () => {
  const full = "root=live:/dev/vda rd.live.ram rd.live.overlay.size=10%";
  for (const [what, name, wish, says] of [
    [
      "no image",
      "vda",
      { line: "", stick: { LiveOS: { "other.img": "" } } },
      "/dev/vda has no image LiveOS/squashfs.img: LiveOS holds other.img.",
    ],
    [
      "no directory",
      "vda",
      { line: "", stick: { boot: {}, LiveOS: "a file" } },
      "it has no directory LiveOS, but LiveOS, boot.",
    ],
    [
      "a cut one",
      "vda",
      { line: "", stick: { LiveOS: { "squashfs.img": image(9000, 8192) } } },
      "is cut short: the squashfs says that it has 9000 bytes, and only 8192 are there.",
    ],
    [
      "an empty one",
      "vda",
      { line: "", stick: { LiveOS: { "squashfs.img": "" } } },
      "The image LiveOS/squashfs.img on /dev/vda is empty.",
    ],
    [
      "a directory of its name",
      "vda",
      { line: "", stick: { LiveOS: { "squashfs.img": {} } } },
      "LiveOS holds squashfs.img.",
    ],
    [
      "little memory",
      "vda",
      { line: full, options: { proc: { meminfo: attribute(() => "MemAvailable: 1000 kB\n") } } },
      "There is not enough memory for rd.live.ram: the image LiveOS/squashfs.img on /dev/vda has 1 MiB, and 1 MiB of memory are free.",
    ],
    [
      "no loop devices",
      "vda",
      {
        line: "",
        around: (sys: Syscalls) =>
          intercept(sys, (call, proceed) => {
            if (call.args[0] !== "/dev/loop-control") return proceed();
            throw refusalOf(call.name, call.args, "ENOENT");
          }),
      },
      "can't be used: the kernel has no loop devices, and the image holds no module for them.",
    ],
  ] as const)
    test(what, async () => {
      const { error, mounts, kernel } = await living(name, wish as Try);
      expect(String(error)).toContain(says);
      expect(mounts).toEqual([]);
      expect([...kernel.machine.fds.keys()]).toEqual([]);
    });
});

test("an overlay on a disk is mounted to be written to, in directories with the rights of the root", async () => {
  const { error, mounts, kernel } = await living("vda", {
    line: "root=live:/dev/vda rd.live.overlay=/dev/vdc",
  });
  expect(error).toBeUndefined();
  expect(mounts).toContain("/run/initramfs/overlayfs ext4 rw");
  const made = kernel.files("254:32").toSorted();
  expect(made).toEqual(["/LiveOS", "/LiveOS/overlay-LIVE-1-2", "/LiveOS/ovlwork"]);
});

test("whichever call fails, it is told in a sentence, and the next try succeeds", async () => {
  const line = "root=live:/dev/vda rd.live.overlay=/dev/vdc rd.timeout=0.001";
  let failed = 0;
  for (let nth = 1; ; nth++) {
    let count = 0;
    let hit: string | undefined;
    const around = (sys: Syscalls): Syscalls =>
      intercept(sys, (call, proceed) => {
        count += 1;
        // What undoes or ends something has no better answer; the kernel's close does its work all the same.
        if (count !== nth || ["close", "umount"].includes(call.name)) return proceed();
        hit = call.name;
        const refusal = refusalOf(call.name, call.args, "EIO");
        if (call.name.startsWith("slow.")) return Promise.reject(refusal);
        throw refusal;
      });
    const { error, kernel, attempt, overlays } = await living("vda", { line, around });
    if (count < nth) break;
    expect([...kernel.machine.fds.keys()]).toEqual([]);
    if (error === undefined) continue;
    failed += 1;
    expect([hit, error]).toEqual([hit, expect.any(UserError)]);
    expect(await attempt()).toBeUndefined();
    expect(overlays.at(-1)).toBe(
      "lowerdir=/run/rootfsbase,upperdir=/run/initramfs/overlayfs/LiveOS/overlay-LIVE-1-2," +
        "workdir=/run/initramfs/overlayfs/LiveOS/ovlwork",
    );
  }
  expect(failed).toBeGreaterThan(20);
});
