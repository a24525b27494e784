import { describe, expect, test } from "bun:test";
import { showCall } from "../../../../syscalls/traced.ts";
import {
  type Outcome,
  contentText,
  contentsOf,
  dataDisk,
  earlyMachine,
  kernelMounts,
  legacy,
  mountPaths,
  otherContents,
  realRoot,
  rootfsOf,
  runHandOver,
  stateOf,
} from "../../../fixtures/early-machine.ts";

/** What the new init must find, but for its mounts and processes. */
const pristine = [
  "root 254:1, working directory /",
  ...[0, 1, 2].map((fd) => `fd ${fd}: char 5:1 on devtmpfs`),
  ...Array.from({ length: 16 }, (_, resource) => {
    const { soft, hard } = resource === 7 ? legacy.openFiles : { soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n };
    return `limit ${resource}: ${soft} ${hard}`;
  }),
  "blocked: ",
  "umask 22",
];

/** The calls that can't be taken back, and those that end it. */
function fatefulCalls({ calls }: Outcome): string[] {
  return calls
    .filter(({ name, args }) =>
      name === "open"
        ? args[0] === "/" || args[0] === ".." || args[0] === "/dev/console"
        : /^(mount|umount|chdir|chroot|pivotRoot|execve|closeRange|unblockSignals|setrlimit|umask)$/.test(
            name,
          ),
    )
    .map(showCall);
}

describe("from an initramfs", () => {
  test("the new init finds the machine as the kernel would have left it", async () => {
    const kernel = earlyMachine();
    const rootfs = rootfsOf(kernel);
    const others = otherContents(kernel);
    const outcome = await runHandOver(kernel);
    expect(outcome.warnings).toEqual([]);
    expect(outcome.executed).toMatchObject({ path: "/sbin/init", argv: ["/sbin/init", ...legacy.args] });
    expect(outcome.executed?.env).toEqual([...legacy.env]);
    expect(stateOf(kernel).filter((line) => !line.startsWith("mount"))).toEqual(pristine);
    expect(mountPaths(kernel)).toEqual([...kernelMounts]);
    // The directory that the new root was mounted on can't go while it is.
    expect([...contentsOf(rootfs).keys()]).toEqual(["/sysroot"]);
    for (const [fs, content] of others) expect(contentText(fs)).toBe(content);
    expect([...others.keys()].some(({ dev }) => dev === dataDisk.dev)).toBe(true);
  });

  test("in the order that loses nothing too early", async () => {
    expect(fatefulCalls(await runHandOver(earlyMachine()))).toEqual([
      'mount("/proc", "/sysroot/proc", "", 0x2000, "")',
      'mount("/sys", "/sysroot/sys", "", 0x2000, "")',
      'mount("/dev", "/sysroot/dev", "", 0x2000, "")',
      'mount("/run", "/sysroot/run", "", 0x2000, "")',
      'chdir("/sysroot")',
      'pivotRoot(".", ".")',
      'umount("/mnt/data", 2)',
      'open("/", 0x90000)',
      'mount(".", "/", "", 0x2000, "")',
      'chroot(".")',
      'chdir("/")',
      'umount("/dev/pts", 2)',
      'open("/dev/console", 0x102)',
      "setrlimit(7, {soft: 1024, hard: 4096})",
      "unblockSignals()",
      "umask(0x12)",
      "closeRange(3, 0xffffffff, 4)",
      'execve("/sbin/init", ["/sbin/init", "single", "\ufffd\ufffd", ""], ["HOME=/", "TERM=linux", "name=\ufffd b"])',
    ]);
  });

  test("whose rootfs pivot_root can leave, it leaves that way and empties all the same", async () => {
    const kernel = earlyMachine({ rootMovable: true });
    const rootfs = rootfsOf(kernel);
    const others = otherContents(kernel);
    const outcome = await runHandOver(kernel);
    expect(outcome.kind).toBe("completed");
    expect(fatefulCalls(outcome).slice(4, 9)).toEqual([
      'chdir("/sysroot")',
      'pivotRoot(".", ".")',
      'open("..", 0x90000)',
      'umount(".", 2)',
      'chdir("/")',
    ]);
    // The directories that a disk is mounted below can't go while it is.
    expect([...contentsOf(rootfs).keys()]).toEqual(["/mnt", "/mnt/data"]);
    for (const [fs, content] of others) expect(contentText(fs)).toBe(content);
    expect(mountPaths(kernel)).toEqual([...kernelMounts]);
    // The rootfs is out of the tree; what is left of tmpfs is /run.
    const types = kernel.machine.mounts.all.map(({ fs }) => fs.type);
    expect(types.toSorted()).toEqual(["devtmpfs", "ext4", "nullfs", "proc", "sysfs", "tmpfs"]);
  });

  test("that is not the one rdinit came from, it empties nothing and refuses", async () => {
    const kernel = earlyMachine({ exe: "/mnt/data/precious" });
    const rootfs = rootfsOf(kernel);
    const before = contentText(rootfs);
    const outcome = await runHandOver(kernel);
    expect(outcome.kind).toBe("refused");
    expect(String(outcome.error)).toContain("not the one that rdinit was started from");
    expect(contentText(rootfs)).toBe(before);
  });

  test("with a filesystem mounted twice on /run, none of them stays behind", async () => {
    const kernel = earlyMachine({ mounts: [{ at: "/run", type: "tmpfs", tree: { upper: "one" } }] });
    expect((await runHandOver(kernel)).warnings).toEqual([]);
    expect(mountPaths(kernel)).toEqual([...kernelMounts]);
    expect(kernel.machine.placeIfThere("/run/upper")).toBeDefined();
    expect(kernel.machine.mounts.all.filter(({ fs }) => fs.type === "tmpfs")).toHaveLength(2);
  });

  test("mounts below the new root stay where they are", async () => {
    const kernel = earlyMachine({
      newRoot: { ...realRoot, home: {} },
      mounts: [{ at: "/sysroot/home", type: "ext4", dev: "8:2", tree: { user: "file" } }],
    });
    expect((await runHandOver(kernel)).kind).toBe("completed");
    expect(mountPaths(kernel)).toEqual(["/", "/dev", "/home", "/proc", "/run", "/sys"]);
  });
});

describe("from a real filesystem", () => {
  const real = { rootMovable: true, rootfsType: "ext4" };

  test("it is kept whole below /boot, without what was mounted on it", async () => {
    const kernel = earlyMachine(real);
    const old = rootfsOf(kernel);
    const before = contentText(old);
    const outcome = await runHandOver(kernel);
    expect(outcome.warnings).toEqual([]);
    expect(fatefulCalls(outcome).slice(4, 8)).toEqual([
      'chdir("/sysroot")',
      'pivotRoot(".", "./boot")',
      'umount("/boot/mnt/data", 2)',
      'chdir("/")',
    ]);
    expect(mountPaths(kernel)).toEqual(["/", "/boot", "/dev", "/proc", "/run", "/sys"]);
    expect(contentText(old)).toBe(before);
    expect(kernel.machine.placeIfThere("/boot/init")).toBeDefined();
    expect(stateOf(kernel).filter((line) => !line.startsWith("mount"))).toEqual(pristine);
  });

  test("it is unmounted, and not emptied, when the new root has no /boot", async () => {
    const { boot: _, ...newRoot } = realRoot;
    const kernel = earlyMachine({ ...real, newRoot });
    const old = rootfsOf(kernel);
    const before = contentText(old);
    expect((await runHandOver(kernel)).kind).toBe("completed");
    expect(mountPaths(kernel)).toEqual([...kernelMounts]);
    expect(contentText(old)).toBe(before);
  });

  test("that can't be left, all is put back and said", async () => {
    const kernel = earlyMachine({ rootfsType: "ext4" });
    const before = stateOf(kernel);
    const outcome = await runHandOver(kernel);
    expect(outcome.kind).toBe("refused");
    expect(String(outcome.error)).toContain("pivot_root .: not valid here (EINVAL)");
    expect(stateOf(kernel)).toEqual(before);
  });
});
