import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { knownTo, lostOptions } from "../../../qemu/builtin.ts";
import { diskArguments } from "../../../qemu/devices.ts";
import { PROJECT, fingerprint, makeIn, run, tryRun, withLock } from "../../../qemu/host.ts";
import { machineArguments } from "../../../qemu/machine.ts";
import { loadOrder } from "../../../qemu/modules.ts";
import { dependencies, distributionIds, ofVersion } from "../../../qemu/stock.ts";
import type { UserError } from "../../../src/lib/errors.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

describe("machineArguments", () => {
  const base = { name: "unit", kernel: "/k" };

  test("never uses KVM, never reboots, and has a console", () => {
    const argv = machineArguments({ ...base, append: "quiet" });
    expect(argv.join(" ")).toContain("-machine q35 -cpu max -m 512 -smp 1 -accel tcg ");
    expect(argv).toContain("-no-reboot");
    expect(argv).toContain("console=ttyS0 no_timer_check quiet");
    expect(argv).not.toContain("-initrd");
  });

  test("deterministic means one thread, counted time, a fixed clock and fixed random numbers", () => {
    const argv = machineArguments({ ...base, cpus: 4, deterministic: true }).join(" ");
    expect(argv).toContain("-smp 1 -accel tcg,thread=single -icount shift=0,sleep=on -rtc base=");
    expect(argv).toContain("-seed 1");
  });
});

test("diskArguments gives each interface its controller once and each disk its place", () => {
  const disks = [
    { file: "/a" },
    { file: "/b,c", interface: "virtio-scsi", snapshot: false },
    { file: "/d", interface: "virtio-scsi", serial: "S1", readonly: true },
    { file: "/e", interface: "ide", format: "qcow2" },
    { file: "/f", interface: "ide" },
  ] as const;
  const argv = diskArguments(disks, ["virtio-blk", "usb", "nvme"]);
  expect(argv.filter((word) => !word.startsWith("-"))).toEqual([
    "virtio-scsi-pci,id=scsi",
    "qemu-xhci,id=xhci",
    "pcie-root-port,id=slot0,chassis=1",
    "pcie-root-port,id=slot1,chassis=2",
    "file=/a,format=raw,if=none,id=drive0,cache=unsafe,snapshot=on",
    "virtio-blk-pci,id=disk0,drive=drive0,serial=disk0",
    "file=/b,,c,format=raw,if=none,id=drive1,cache=unsafe,snapshot=off",
    "scsi-hd,bus=scsi.0,id=disk1,drive=drive1,serial=disk1",
    "file=/d,format=raw,if=none,id=drive2,cache=unsafe,readonly=on",
    "scsi-hd,bus=scsi.0,id=disk2,drive=drive2,serial=S1",
    "file=/e,format=qcow2,if=none,id=drive3,cache=unsafe,snapshot=on",
    "ide-hd,bus=ide.0,id=disk3,drive=drive3,serial=disk3",
    "file=/f,format=raw,if=none,id=drive4,cache=unsafe,snapshot=on",
    "ide-hd,bus=ide.1,id=disk4,drive=drive4,serial=disk4",
  ]);
});

describe("loadOrder", () => {
  const dep =
    "kernel/fs/ext4.ko: kernel/crc16.ko kernel/jbd2.ko\nkernel/jbd2.ko:\nkernel/crc16.ko:\nkernel/a-b.ko.xz:\n";

  test("puts each module behind what it needs, once", () => {
    const order = ["kernel/jbd2.ko", "kernel/crc16.ko", "kernel/fs/ext4.ko"];
    expect(loadOrder(dep, "", ["ext4", "crc16"])).toEqual(order);
  });

  test("knows - and _ as one, and leaves built-in ones out", () => {
    expect(loadOrder(dep, "kernel/drivers/virtio-blk.ko\n", ["virtio_blk", "a_b"])).toEqual([
      "kernel/a-b.ko.xz",
    ]);
  });

  test("refuses a name that the kernel has not", () => {
    expect(() => loadOrder(dep, "", ["nothing"])).toThrow("no module 'nothing'");
  });
});

describe("packages", () => {
  test("distributionIds reads os-release, the most specific first", () => {
    expect(distributionIds('NAME="x"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')).toEqual([
      "linuxmint",
      "ubuntu",
      "debian",
    ]);
    expect(distributionIds("VERSION_ID=12\nID='debian'\n")).toEqual(["debian"]);
    expect(distributionIds("")).toEqual([]);
  });

  test("dependencies takes the packages and leaves virtual ones out", () => {
    const said =
      "linux-image-generic\n  Depends: linux-image-6.8.0-45-generic\n  Depends: <virtual>\n |Depends: a\n  Depends: linux-firmware\n  Recommends: thermald\n";
    expect(dependencies(said)).toEqual(["linux-image-6.8.0-45-generic", "a", "linux-firmware"]);
  });

  test("ofVersion takes what a kernel's package is split into", () => {
    const version = "7.2.13+deb14-amd64";
    const parts = [`linux-binary-${version}`, `linux-modules-${version}`];
    expect(
      ofVersion(["dracut", ...parts, "linux-base", "linux-modules-7.2.12+deb14-amd64"], version),
    ).toEqual(parts);
  });
});

test("knownTo leaves out what this version of the kernel does not have", async () => {
  const tree = temporaryDirectory();
  mkdirSync(join(tree, "drivers/char"), { recursive: true });
  writeFileSync(
    join(tree, "drivers/char/Kconfig"),
    "menuconfig TTY\n\tbool\n\n  config RANDOM_TRUST\n\tbool\n",
  );
  writeFileSync(join(tree, "Kconfig.debug"), "config DEBUG_TTY\n\tdepends on RANDOM_TRUST_CPU\n");
  const lines = ["CONFIG_TTY=y", "CONFIG_RANDOM_TRUST_CPU=y", "CONFIG_DEBUG_TTY=y"];
  expect(await knownTo(tree, lines)).toEqual(["CONFIG_TTY=y", "CONFIG_DEBUG_TTY=y"]);
  expect(await knownTo(tree, [])).toEqual([]);
});

test("lostOptions tells what a configuration did not keep", () => {
  const fragment = "# a note\nCONFIG_A=y\nCONFIG_B=8\n# CONFIG_C is not set\n# CONFIG_D is not set\n";
  const config = "CONFIG_A=y\nCONFIG_B=4\nCONFIG_C=y\n# CONFIG_D is not set\n";
  expect(lostOptions(fragment, config)).toEqual({ missing: ["CONFIG_B=8"], unwanted: ["CONFIG_C"] });
});

test("fingerprint tells apart what only differs in where one part ends", () => {
  expect(fingerprint("ab", "c")).not.toBe(fingerprint("a", "bc"));
  expect(fingerprint("ab", "c")).toMatch(/^[0-9a-f]{16}$/);
});

describe("run", () => {
  test("returns the output, and tells a failure with the program's last words", async () => {
    expect(await run(["cat"], { stdin: "in" })).toBe("in");
    expect(await tryRun(["sh", "-c", "exit 3"])).toMatchObject({ status: 3 });
    expect(run(["sh", "-c", "echo why >&2; exit 4"])).rejects.toThrow(/ended with status 4:\nwhy/);
  });

  test("says which program is missing, and what brings it", async () => {
    const error: unknown = await run(["no-such-program"]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: "The program 'no-such-program' is missing." });
    const [, target = ""] = /^'make (.*)' installs/.exec((error as UserError).remedy) ?? [];
    expect(await Bun.file(join(PROJECT, "Makefile")).text()).toContain(`\n${target}:\n`);
  });
});

test("what make can't make is told in its last words, and all of them are in the log", async () => {
  const complaints = "\t@for at in $$(seq 20); do echo complaint $$at >&2; done; echo said; false";
  const dir = temporaryTree({ Makefile: `good:\n\t@echo done\nbad:\n${complaints}\n` });
  await makeIn(dir, "it", "good");
  const error: unknown = await makeIn(dir, "it", "bad").catch((thrown: unknown) => thrown);
  const { message, remedy } = error as UserError;
  expect(message).toStartWith("Building it failed at 'bad':\ncomplaint 7\n");
  expect(remedy).toBe(`The whole log is in ${join(dir, "make.log")}.`);
  expect(await Bun.file(join(dir, "make.log")).text()).toMatch(/^said\ncomplaint 1\n[^]*complaint 20\n/);
});

test("withLock lets one in at a time, and lets the next in after a failure", async () => {
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = withLock("unit-test", async () => {
    steps.push("first in");
    gate.resolve();
    await Bun.sleep(20);
    steps.push("first out");
    throw new Error("it failed");
  });
  await gate.promise;
  const second = withLock("unit-test", async () => steps.push("second in"));
  expect(first).rejects.toThrow("it failed");
  await second;
  expect(steps).toEqual(["first in", "first out", "second in"]);
});
