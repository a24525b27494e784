/** What `rdinit uki` makes, started by a real firmware from an EFI system partition, to the real init. */

import { beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeEfiDisk, ovmf, trustedKey } from "../../qemu/firmware.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { type Machine, startMachine } from "../../qemu/machine.ts";
import { ROOT_UUID, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { runCommand } from "../../src/cli.ts";
import { type CpioEntry, writeCpio } from "../../src/image/cpio.ts";
import { LOADABLE, makeAmdContainer } from "../fixtures/microcode.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";
import { recordingTerminal } from "../fixtures/terminal.ts";

const dir = temporaryDirectory();
const COMMAND_LINE = `console=ttyS0 root=UUID=${ROOT_UUID} ro greeting=hello`;
/** The firmware checks and copies 70 MB under emulation. */
const BOOT_MS = 120_000;
const TEST_MS = 150_000;
let kernel: Kernel;
let root: string;
let initrd: string;

beforeAll(async () => {
  kernel = await stockKernel();
  root = await probeDisk(dir);
  initrd = await rdinitImage({ name: "uki", kernel });
}, BOOT_MS);

test(
  "the firmware starts it, the kernel loads its microcode, and the real init runs with its command line",
  async () => {
    const microcode = join(dir, "microcode.cpio");
    writeFileSync(microcode, Buffer.concat([...writeCpio(loadableMicrocode())]));
    const machine = await bootUki("uki", await makeUki("plain.efi", "--microcode", microcode));
    const listing = await probed(machine);
    expect(machine.console.text).toMatch(LOADABLE.said);
    expect(machine.console.text).toMatch(/^\[ *[0-9.]+\] efi: EFI v[0-9.]+ by /m);
    expect(listing.get("kernel.cmdline")).toBe(COMMAND_LINE);
    expect(said(machine)).toContain("mounted /dev/vdb (ext4) as the root, read-only");
  },
  TEST_MS,
);

test(
  "a firmware with Secure Boot starts it when it is signed with a key that the firmware trusts",
  async () => {
    const { key, certificate } = await trustedKey(dir);
    const signing = ["--secureboot-private-key", key, "--secureboot-certificate", certificate];
    const machine = await bootUki("uki-signed", await makeUki("signed.efi", ...signing), true);
    const listing = await probed(machine);
    expect(machine.console.text).toMatch(/secureboot: Secure boot enabled/i);
    expect(listing.get("kernel.cmdline")).toBe(COMMAND_LINE);
  },
  TEST_MS,
);

test(
  "and does not start it unsigned",
  async () => {
    const machine = await bootUki("uki-unsigned", await makeUki("unsigned.efi"), true);
    await machine.console.expect(/Access Denied|Security Violation/, BOOT_MS);
    expect(machine.console.text).not.toContain("Linux version");
    await machine.stop();
  },
  TEST_MS,
);

async function makeUki(name: string, ...more: readonly string[]): Promise<string> {
  const file = join(dir, name);
  const terminal = recordingTerminal();
  const words = ["--linux", kernel.vmlinuz, "--initrd", initrd, "--cmdline", COMMAND_LINE, ...more];
  const status = await runCommand(["uki", "--output", file, ...words], terminal);
  expect([status, terminal.said]).toEqual([0, []]);
  return file;
}

function loadableMicrocode(): CpioEntry[] {
  const { signature, level: id } = LOADABLE;
  const data = makeAmdContainer({
    processors: [{ signature, mark: 0xa001 }],
    patches: [{ mark: 0xa001, id }],
  });
  return [
    ...["kernel", "kernel/x86", "kernel/x86/microcode"].map((path): CpioEntry => ({
      type: "directory",
      path,
      mode: 0o755,
    })),
    { type: "file", path: "kernel/x86/microcode/AuthenticAMD.bin", mode: 0o644, data },
  ];
}

async function bootUki(name: string, program: string, secureBoot = false): Promise<Machine> {
  const disk = join(dir, `${name}.img`);
  await makeEfiDisk(disk, program);
  return startMachine({
    name,
    firmware: ovmf(secureBoot),
    disks: [{ file: disk }, { file: root }],
    arguments: LOADABLE.arguments,
    memory_mb: 1024,
    timeout_ms: BOOT_MS,
  });
}
