/** rd.timing: the record that the real init finds, and nothing of it without. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import {
  MACHINE_MS,
  ROOT_UUID,
  SHELL_PROMPT,
  TEST_MS,
  bootRdinit,
  shellCommand,
} from "../../qemu/scenario.ts";
import { readBootRecord, recordTree } from "../../qemu/timing.ts";
import { parseRecord } from "../../src/chart/parse.ts";
import type { BootRecord, Entry, Lane } from "../../src/chart/record.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const file = join(temporaryDirectory(), "root.img");

beforeAll(async () => {
  await makeDisk({ file, type: "ext4", tree: await recordTree(), uuid: ROOT_UUID, size_mb: 16 });
}, TEST_MS);

function named(record: BootRecord | undefined, lane: Lane): Map<string, Entry> {
  const entries = record?.entries.filter((entry) => entry.lane === lane) ?? [];
  return new Map(entries.map((entry) => [entry.name, entry]));
}

const long_us = ({ from_us, to_us }: Entry): number => (to_us ?? Number.NaN) - from_us;

test(
  "on the distribution's kernel: steps in order, modules, the disk, a hook and a wait",
  async () => {
    const hook = "#!/bin/sh\n/bin/busybox sleep 0.3\nexit 3\n";
    const machine = await bootRdinit("timing", {
      append: `root=UUID=${ROOT_UUID} rd.timing`,
      disks: [{ file }],
      image: {
        kernel: await stockKernel(),
        shell: true,
        files: [{ to: "/etc/rdinit.d/pre-mount/10-slow", data: Buffer.from(hook), mode: 0o755 }],
      },
    });
    const { run, record } = await readBootRecord(machine, MACHINE_MS);
    expect(run).toEqual(["/run", "/run/rdinit", "/run/rdinit/timing.json"]);
    expect(record?.outcome).toBe("handing over to /sbin/init");
    expect(record?.command_line).toContain(`root=UUID=${ROOT_UUID} rd.timing`);
    expect(record?.kernel).toBe((await stockKernel()).version);

    const steps = named(record, "step");
    expect([...steps.keys()].filter((name) => STORY.includes(name))).toEqual([...STORY]);
    expect(steps.get("the entry stub and the loader")?.from_us).toBe(record?.init_us ?? 0);
    const kernel_us = Number(/\[ *(\d+\.\d+)\] Run \/init as init/.exec(machine.console.text)?.[1]) * 1e6;
    // The clock of the log runs beside that of the machine.
    expect(Math.abs((record?.init_us ?? 0) - kernel_us)).toBeLessThan(1.5e6);

    const children = named(record, "child");
    const child = children.get("/etc/rdinit.d/pre-mount/10-slow");
    expect(child?.note).toBe("status 3");
    expect(child && long_us(child)).toBeGreaterThan(300_000);
    const hooks = steps.get("hooks of pre-mount");
    expect(hooks && long_us(hooks)).toBeGreaterThanOrEqual(child ? long_us(child) : Infinity);

    const modules = named(record, "module");
    for (const name of ["virtio_blk", "ext4"]) expect([...modules.keys()]).toContain(name);
    const disk = named(record, "device").get("vda");
    expect(disk?.from_us).toBeGreaterThan(modules.get("virtio_blk")?.from_us ?? Infinity);
    expect([...named(record, "wait").keys()]).toContain(`the root UUID=${ROOT_UUID}`);
    for (const entry of record?.entries ?? []) expect(entry.to_us).toBeDefined();
  },
  TEST_MS,
);

/** The steps of a plain boot, as they follow each other. */
const STORY: readonly string[] = [
  "the entry stub and the loader",
  "the runtime starts",
  "reading the parameters",
  "meeting the devices",
  "looking for the root",
  "hooks of pre-mount",
  "checking the root",
  "mounting the root",
  "ending other processes",
  "emptying and covering the rootfs",
];

test(
  "without it, or with 0, nothing is left in /run",
  async () => {
    for (const words of ["", "rd.timing=0"]) {
      const append = `root=UUID=${ROOT_UUID} ${words}`;
      const machine = await bootRdinit("timing-off", { append, disks: [{ file }] });
      const { run, record } = await readBootRecord(machine, MACHINE_MS);
      expect(run).toEqual(["/run"]);
      expect(record).toBeUndefined();
    }
  },
  TEST_MS,
);

test(
  "the network: its interface, the carrier and the lease, and the client that is its child",
  async () => {
    const machine = await bootRdinit("timing-network", {
      append: "root=/dev/vda rd.timing ip=dhcp rd.neednet=1",
      disks: [{ file }],
      cards: [{ link: { kind: "user" } }],
      image: { shell: true },
    });
    const { run, record } = await readBootRecord(machine, MACHINE_MS);
    expect(run).toContain("/run/rdinit/timing.json");
    const network = named(record, "network");
    const [carrier, lease] = [network.get("eth0: carrier"), network.get("eth0: dhcp")];
    expect(carrier?.to_us).toBeLessThanOrEqual(lease?.from_us ?? 0);
    expect(lease && long_us(lease)).toBeGreaterThan(0);
    expect([...named(record, "child").keys()].some((name) => name.includes("udhcpc"))).toBe(true);
  },
  TEST_MS,
);

test(
  "a boot that fails leaves it to the rescue shell",
  async () => {
    await using machine = await bootRdinit("timing-failed", {
      append: "root=LABEL=none rd.timeout=1 rd.timing quiet",
      image: { shell: true },
    });
    await machine.console.expect(SHELL_PROMPT, MACHINE_MS);
    const json = await shellCommand(machine, "cat /run/rdinit/timing.json");
    const record = parseRecord(json, "the record");
    expect(record.outcome).toBe("The root LABEL=none did not appear.");
    expect(named(record, "wait").get("the root LABEL=none")?.note).toBe("in vain");
    expect(named(record, "step").get("looking for the root")?.note).toBe("failed");
  },
  TEST_MS,
);
