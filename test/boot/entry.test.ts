/** From the kernel's exec of /init to the first line of TypeScript, on machines that make it hard. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  TEST_MS,
  bootRdinit,
  expectSaid,
  kernelTime,
  probeDisk,
  probed,
} from "../../qemu/scenario.ts";
import { packInitramfs } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const bare = join(dir, "bare.cpio");
let disk: string;

beforeAll(async () => {
  disk = await probeDisk(dir);
  const program = { kind: "file", from: join(PROJECT, "build/rdinit"), mode: 0o755 } as const;
  const tree = ["/init", "/opt/boot/rdinit"].map((path) => ({ ...program, path }));
  // Every kernel has /dev/console in an archive of its own; a directory in its place makes it useless.
  await packInitramfs([...tree.slice(0, 1), { path: "/dev/console", kind: "dir" }], bare);
  await packInitramfs(tree.slice(1), join(dir, "elsewhere.cpio"));
}, MACHINE_MS);

test(
  "an archive that holds /init alone, and no node for the console",
  async () => {
    const machine = await bootRdinit("entry-bare", {
      append: "root=/dev/vda",
      disks: [{ file: disk }],
      initrd: bare,
    });
    const listing = await probed(machine);
    expect(machine.console.text).toContain("Warning: unable to open an initial console.");
    expect(listing.get("fd.count")).toBe("3");
    expect(listing.get("fd.0.link")).toBe("/dev/console");
  },
  TEST_MS,
);

test(
  "rdinit= names another place than /init",
  async () => {
    const machine = await bootRdinit("entry-elsewhere", {
      append: "root=/dev/vda quiet rdinit=/opt/boot/rdinit",
      disks: [{ file: disk }],
      initrd: join(dir, "elsewhere.cpio"),
    });
    const listing = await probed(machine);
    expect(listing.get("argv.0")).toBe("/sbin/init");
    expect(listing.get("argv.count")).toBe("1");
    expect(listing.get("environ.count")).toBe("2");
  },
  TEST_MS,
);

test(
  "no console at all: descriptors 0 to 2 are closed for the real init, as the kernel would leave them",
  async () => {
    const machine = await bootRdinit("entry-silent", {
      // The later of two -append counts: the machine's own console is not named.
      arguments: ["-append", "root=/dev/vda console=hvc7"],
      disks: [{ file: disk }],
      initrd: bare,
    });
    const listing = await probed(machine);
    expect(machine.console.text).toMatch(/^\n?PROBE BEGIN\n/);
    expect(listing.get("kernel.cmdline")).toBe("root=/dev/vda console=hvc7");
    expect(listing.get("fd.count")).toBe("0");
  },
  TEST_MS,
);

test(
  "several consoles: the rescue shell is on the last that was named",
  async () => {
    const machine = await bootRdinit("entry-consoles", {
      arguments: [
        ...["-append", "console=hvc0 console=ttyS0"],
        ...[
          "-chardev",
          "null,id=nowhere",
          "-device",
          "virtio-serial-pci",
          "-device",
          "virtconsole,chardev=nowhere",
        ],
      ],
      image: { shell: true },
    });
    await machine.console.expect("rdinit# ", MACHINE_MS);
    machine.console.send("cat /sys/class/tty/console/active; tty\n");
    await machine.console.expect("\nhvc0 ttyS0\n/dev/ttyS0\n", MACHINE_MS);
    await machine.stop();
  },
  TEST_MS,
);

test(
  "a kernel whose random numbers are not ready",
  async () => {
    const kernel = await stockKernel();
    const machine = await bootRdinit("entry-random", {
      kernel: kernel.vmlinuz,
      append: "root=/dev/vda random.trust_cpu=off random.trust_bootloader=off",
      arguments: ["-cpu", "max,-rdrand,-rdseed"],
      disks: [{ file: disk }],
      image: { kernel },
    });
    await probed(machine);
    const { text } = machine.console;
    expect(kernelTime(text, "random: crng init done")).toBeGreaterThan(kernelTime(text, "Run /init"));
  },
  TEST_MS,
);

test(
  "a processor that the runtime was not compiled for: a sentence, and what panic= asks",
  async () => {
    const machine = await bootRdinit("entry-processor", {
      append: "root=/dev/vda panic=-1",
      arguments: ["-cpu", "qemu64"],
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "this processor lacks SSE4.2 or POPCNT, without which the runtime can't run (x86-64-v2). In QEMU give it " +
        "another model than the default, such as -cpu max.",
    ]);
    expect(machine.console.text).not.toContain("Kernel panic");
  },
  TEST_MS,
);

test(
  "a machine of 256 MB",
  async () => {
    const machine = await bootRdinit("entry-small", {
      append: "root=/dev/vda quiet",
      memory_mb: 256,
      disks: [{ file: disk }],
      initrd: await rdinitImage({ name: "entry-small" }),
    });
    const listing = await probed(machine);
    expect(Number(listing.get("memory.MemTotal"))).toBeLessThan(256 * 1024);
  },
  TEST_MS,
);
