/** What the fake kernel has beyond the contract: see test/contract for its calls one by one. */

import { describe, expect, test } from "bun:test";
import { device, fakeKernel } from "../../../syscalls/fake.ts";
import {
  AF_NETLINK,
  AT_FDCWD,
  MSG_DONTWAIT,
  NETLINK_KOBJECT_UEVENT,
  O_RDONLY,
  RLIMIT_NOFILE,
  SIGKILL,
  SIGTERM,
  SOCK_RAW,
  WEXITED,
  exists,
  list,
  readText,
  writeFile,
} from "../../../syscalls/index.ts";
import { caught, initramfs } from "./fake-machines.ts";

describe("/proc", () => {
  test("leads to the program that runs, deleted or not", () => {
    const { sys } = fakeKernel(initramfs);
    const before = sys.stat(AT_FDCWD, "/init");
    expect(sys.readlink("/proc/self/exe")).toBe("/init");
    sys.unlinkat(AT_FDCWD, "/init", 0);
    expect(sys.stat(AT_FDCWD, "/proc/self/exe")).toEqual(before);
  });

  test("shows processes as they come and go", () => {
    const kernel = fakeKernel({
      ...initramfs,
      processes: [
        { pid: 2, name: "kthreadd", kernelThread: true },
        { pid: 50, name: "dhcp", argv: ["@dhcp", "eth0"] },
      ],
    });
    const pids = () =>
      list(kernel.sys, "/proc")
        .map(({ name }) => name)
        .filter((name) => /^\d/.test(name));
    expect(pids()).toEqual(["1", "2", "50"]);
    expect(readText(kernel.sys, "/proc/50/cmdline")).toBe("@dhcp\0eth0\0");
    expect(readText(kernel.sys, "/proc/2/stat").split(" ")[8]).toBe(String(0x200000));
    kernel.exit(50, 1);
    expect(readText(kernel.sys, "/proc/50/stat")).toStartWith("50 (dhcp) Z 1 ");
    kernel.sys.waitid(50, WEXITED);
    expect(pids()).toEqual(["1", "2"]);
    expect(() => readText(kernel.sys, "/proc/50/stat")).toThrow("ENOENT");
  });

  test("lists the open files", () => {
    const { sys } = fakeKernel(initramfs);
    const dir = sys.open("/sysroot/etc", O_RDONLY);
    expect(list(sys, "/proc/self/fd").map(({ name }) => name)).toEqual(["0", "1", "2", "3", "4"]);
    expect(sys.readlink(`/proc/self/fd/${dir}`)).toBe("/sysroot/etc");
    expect(exists(sys, `/proc/self/fd/${dir}/fstab`)).toBe(true);
  });
});

describe("processes", () => {
  test("end by signals unless they ignore them, and orphans become ours", async () => {
    const kernel = fakeKernel({
      processes: [
        { pid: 10, name: "parent", ignores: [SIGTERM] },
        { pid: 11, ppid: 10, name: "child" },
        { pid: 12, name: "stuck", ignores: [SIGTERM, SIGKILL] },
      ],
    });
    const { sys } = kernel;
    for (const pid of [10, 11, 12]) sys.kill(pid, SIGTERM);
    // The child of another is that one's to reap.
    expect([...kernel.machine.processes.all.keys()]).toEqual([10, 12]);
    kernel.spawn({ pid: 13, ppid: 10, name: "other" });
    const next = sys.slow.peekChild();
    sys.kill(10, SIGKILL);
    expect(await next).toEqual({ pid: 10, code: "killed", status: SIGKILL });
    expect(sys.waitid(10, WEXITED)).toEqual({ pid: 10, code: "killed", status: SIGKILL });
    sys.kill(13, SIGTERM);
    expect(sys.waitid(0, WEXITED)).toEqual({ pid: 13, code: "killed", status: SIGTERM });
    sys.kill(12, SIGKILL);
    expect(() => sys.waitid(0, WEXITED)).toThrow("would block for ever");
  });
});

describe("peripherals", () => {
  test("uevents reach those who listen, now and later", async () => {
    const kernel = fakeKernel();
    const { sys } = kernel;
    const fd = sys.socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
    kernel.deliver("nobody listens");
    sys.bindNetlink(fd, 1);
    expect(sys.recv(fd, MSG_DONTWAIT)).toBeUndefined();
    kernel.deliver("add@/a");
    kernel.deliver("add@/b", 77);
    kernel.deliver("udev's own", 77, 2);
    expect(sys.recv(fd, 0)).toEqual({ bytes: Buffer.from("add@/a"), senderPort: 0 });
    expect((await sys.slow.recv(fd)).senderPort).toBe(77);
    const later = sys.slow.recv(fd);
    kernel.overrun();
    expect(await later.catch((error: unknown) => error)).toMatchObject({ code: "ENOBUFS" });
    expect(() => sys.recv(fd, 0)).toThrow("would block for ever");
  });

  test("modules are loaded once, and do what they do", () => {
    const loaded: (string | undefined)[] = [];
    const kernel = fakeKernel({
      rootfs: { "ext4.ko": "\x7fELF\0license=GPL\0name=ext4\0" },
      onModule: ({ name }) => loaded.push(name),
    });
    const { sys } = kernel;
    const fd = sys.open("/ext4.ko", O_RDONLY);
    sys.finitModule(fd, "a=1", 0);
    expect(() => sys.finitModule(fd, "", 0)).toThrow("EEXIST");
    expect(loaded).toEqual(["ext4"]);
    expect(kernel.modules[0]).toMatchObject({ name: "ext4", parameters: "a=1" });
    sys.deleteModule("ext4", 0);
    expect(() => sys.deleteModule("ext4", 0)).toThrow("ENOENT");
  });

  test("disks are mounted by their nodes", () => {
    const { sys } = fakeKernel({
      rootfs: { sda1: device("block", "8:1"), sdb1: device("block", "8:17"), m: {} },
      disks: { "8:1": { type: "ext4", tree: { here: "" } } },
    });
    expect(() => sys.mount("/sda1", "/m", "xfs", 0, "")).toThrow("EINVAL");
    expect(() => sys.mount("/sdb1", "/m", "ext4", 0, "")).toThrow("ENXIO");
    sys.mount("/sda1", "/m", "ext4", 0, "");
    expect(exists(sys, "/m/here")).toBe(true);
    expect(() => sys.mount("/sda1", "/m", "ext4", 0, "")).toThrow("EBUSY");
  });

  test("the console and the log keep what is written", () => {
    const kernel = fakeKernel(initramfs);
    kernel.sys.write(1, Buffer.from("hello"));
    kernel.sys.mount("none", "/dev", "devtmpfs", 0, "");
    writeFile(kernel.sys, "/dev/kmsg", "<6>line");
    expect([kernel.console, kernel.kmsg]).toEqual(["hello", ["<6>line"]]);
  });
});

describe("the machine", () => {
  test("is gone after a reboot", () => {
    expect(caught(() => fakeKernel().sys.reboot("power_off"))).toMatchObject({
      name: "Rebooted",
      action: "power_off",
    });
  });

  test("has a clock that moves when told", () => {
    const kernel = fakeKernel({ now_ns: 5n });
    kernel.advance(7n);
    expect(kernel.sys.boottime()).toBe(12n);
  });

  test("may be an old one", () => {
    const { sys } = fakeKernel({ missing: ["closeRange"] });
    expect(() => sys.closeRange(3, 4, 0)).toThrow("close_range: this kernel does not have the call (ENOSYS)");
  });

  test("has no more descriptors than the limit", () => {
    const { sys } = fakeKernel({ limits: { [RLIMIT_NOFILE]: { soft: 3n, hard: 3n } } });
    for (let i = 0; i < 3; i++) sys.open("/", O_RDONLY);
    expect(() => sys.open("/", O_RDONLY)).toThrow("EMFILE");
  });

  test("says when it is asked for what it does not model", () => {
    const { sys } = fakeKernel({ rootfs: { a: {} } });
    expect(() => sys.mount("/", "/a", "", 0x1000, "")).toThrow("the fake kernel has no bind mounts");
  });
});
