/** Roots that the host shares with a virtual machine: 9P and virtiofs, on the distribution's kernel. */

import { beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rdinitImage, staticBusybox } from "../../qemu/images.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import type { Machine } from "../../qemu/machine.ts";
import { MACHINE_MS, TEST_MS, expectSaid, said } from "../../qemu/scenario.ts";
import { share9p, shareVirtiofs, virtiofsNeed } from "../../qemu/shares.ts";
import { startMachine } from "../../qemu/machine.ts";
import { ROOT_FOLDERS, type Tree, withStaged } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const need = await virtiofsNeed();
const dir = temporaryDirectory();
const MEMORY_MB = 512;

/** The real init: writes to its root, and says what it sees. */
const INIT = `#!/bin/busybox sh
b=/bin/busybox
echo written >/etc/written && echo "INIT wrote" || echo "INIT can't write"
$b awk '$2 == "/" { print "INIT mount " $1 " " $3 " " $4 }' /proc/mounts
$b find /run | $b sort | $b sed 's/^/INIT /'
echo "INIT END"
$b stty echo
$b poweroff -f
`;

let kernel: Kernel;
let initrd: string;

beforeAll(async () => {
  kernel = await stockKernel();
  const drivers = ["virtio_pci", "virtiofs", "9p", "9pnet_virtio", "overlay"];
  initrd = await rdinitImage({ name: "netroot-shares", kernel, drivers, shell: true });
}, MACHINE_MS);

/** A root of its own for one boot, which may write to it. */
async function makeRoot(name: string): Promise<string> {
  const to = join(dir, name);
  const tree: Tree = [
    ...ROOT_FOLDERS,
    { path: "/bin/busybox", kind: "file", from: staticBusybox(), mode: 0o755 },
    { path: "/sbin/init", kind: "text", text: INIT, mode: 0o755 },
  ];
  mkdirSync(to);
  await withStaged(tree, async (from) => cpSync(from, to, { recursive: true }));
  return to;
}

function boot(name: string, append: string, more: readonly string[]): Promise<Machine> {
  return startMachine({
    name: `netroot-${name}`,
    kernel: kernel.vmlinuz,
    initrd,
    append: `${append} panic=-1`,
    memory_mb: MEMORY_MB,
    arguments: more,
    timeout_ms: MACHINE_MS,
  });
}

async function seen(machine: Machine): Promise<string[]> {
  await machine.expectEnd("powered off");
  const lines = [...machine.console.text.matchAll(/^INIT (.*)$/gm)].map(([, words = ""]) => words);
  expect(lines.at(-1)).toBe("END");
  expect(lines.filter((line) => line.startsWith("/run"))).toEqual(["/run"]);
  return lines;
}

test(
  "9p, read-write, with options of its own",
  async () => {
    const root = await makeRoot("writable");
    const machine = await boot("9p", "root=9p:host rw rootflags=msize=262144,noatime", share9p(root, "host"));
    const lines = await seen(machine);
    expect(lines).toContain("wrote");
    const mounted = lines.find((line) => line.startsWith("mount ")) ?? "";
    expect(mounted).toMatch(/^mount host 9p rw,.*noatime,.*msize=262144,trans=virtio/);
    expect(readFileSync(join(root, "etc/written"), "latin1")).toBe("written\n");
    expectSaid(machine, ["mounted the share host (9p) as the root, read-write"]);
  },
  TEST_MS,
);

test(
  "9p by rootfstype=, read-only; dracut's name; an overlay over it",
  async () => {
    const root = await makeRoot("read");
    const plain = await boot("9p-type", "rootfstype=9p root=host", share9p(root, "host"));
    expect(await seen(plain)).toContain("can't write");
    const covered = await boot("9p-overlay", "root=virtfs:host rd.overlay", share9p(root, "host"));
    await covered.expectEnd("powered off");
    expect(covered.console.text).toContain("INIT wrote\n");
    expect(covered.console.text).toMatch(/^INIT mount LiveOS_rootfs overlay /m);
  },
  TEST_MS * 2,
);

test.skipIf(need !== undefined)(
  `virtiofs, by both names${need === undefined ? "" : ` (${need})`}`,
  async () => {
    const root = await makeRoot("virtiofs");
    for (const [name, append] of [
      ["virtiofs", "root=virtiofs:shared rw"],
      ["virtiofs-type", "rootfstype=virtiofs root=shared"],
    ] as const) {
      await using share = await shareVirtiofs(root, "shared", temporaryDirectory(), MEMORY_MB);
      const machine = await boot(name, append, share.arguments);
      const lines = await seen(machine);
      expect(lines).toContain(name === "virtiofs" ? "wrote" : "can't write");
      expect(lines.find((line) => line.startsWith("mount "))).toMatch(
        /^mount shared virtiofs r[wo],relatime/,
      );
    }
  },
  TEST_MS * 2,
);

test(
  "a tag that the host does not have is told, with those that there are",
  async () => {
    const machine = await boot("absent", "root=9p:other rd.timeout=4 rd.shell=0", share9p(dir, "host"));
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      /^waiting for the share other \(9p\); there is host \(giving up in \d s\)$/,
      "The root, the share other (9p), did not appear; there is host. Does the host share a directory by this tag? " +
        "The kernel's own messages above may say more.",
    ]);
    // It is tried when a device appears, not all the time.
    expect(machine.console.text.match(/no channels available/g)?.length ?? 0).toBeLessThan(6);
    expect(said(machine).filter((line) => line.startsWith("waiting for the share"))).toHaveLength(1);
  },
  TEST_MS,
);
