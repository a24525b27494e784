/**
 * Emptying the rootfs in a real guest takes exactly that: random files of every kind, mounts upon mounts, links out of
 * it, files that are open and such as can't be deleted (handover-plant.c). RDINIT_SEED=N repeats a tree.
 */

import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { PROJECT, compile } from "../../qemu/host.ts";
import { rdinitImage } from "../../qemu/images.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, said } from "../../qemu/scenario.ts";
import { ROOT_FOLDERS } from "../../qemu/tree.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
const file = join(dir, "root.img");
let program: string;

beforeAll(async () => {
  program = await compile("handover-plant", [join(PROJECT, "test/boot/handover-plant.c")]);
  const init = { path: "/sbin/init", kind: "file", from: program, mode: 0o755 } as const;
  await makeDisk({ file, type: "ext4", tree: [...ROOT_FOLDERS, init], size_mb: 32 });
}, MACHINE_MS);

/** What the planter weighs down the rootfs with, and what the kernel and process 1 have in use besides. */
const BIG_KB = 48 * 1024;
const IN_USE_KB = 24 * 1024;

const FILESYSTEMS = [
  "/sysroot/data",
  "/mnt-1",
  "/mnt-2",
  "/dev/mnt-3",
  "/run/mnt-4",
  "/mnt-1/mnt-5",
  "/plant/mnt-6",
];

interface Rootfs {
  readonly append: string;
  readonly hook: string | undefined;
  /** Whether files in it can be made immutable. */
  readonly immutable: boolean;
}

/** With root= the kernel makes the rootfs a ramfs, without it a tmpfs (init_rootfs() in init/do_mounts.c). */
const ROOTFS: Readonly<Record<string, Rootfs>> = {
  ramfs: { append: "root=/dev/vda rw", hook: undefined, immutable: false },
  tmpfs: { append: "", hook: "/etc/rdinit.d/mount/10-mount", immutable: true },
};

const SEEDS = process.env["RDINIT_SEED"]?.split(",").map(Number) ?? [1, Date.now() % 1_000_000];

for (const [type, { append, hook, immutable }] of Object.entries(ROOTFS))
  for (const seed of SEEDS)
    test(
      `a ${type}, seed ${seed}`,
      async () => {
        const data = readFileSync(program);
        const hooks = ["/etc/rdinit.d/cleanup/10-plant", ...(hook === undefined ? [] : [hook])];
        const machine = await bootRdinit(`handover-trees-${type}`, {
          append: `${append} plant.seed=${seed} printk.devkmsg=on`,
          disks: [{ file }],
          initrd: await rdinitImage({
            name: "handover-trees",
            files: hooks.map((to) => ({ to, data, mode: 0o755 })),
          }),
        });
        await machine.console.expect(/plant: END$/m, MACHINE_MS);
        await machine.expectEnd("powered off");
        const lines = [...machine.console.text.matchAll(/\] plant: ([^\n]*)$/gm)].map(
          ([, line = ""]) => line,
        );
        const [, nodes = "", made = ""] =
          /^planted (\d+) nodes, (\d+) immutable$/m.exec(lines.join("\n")) ?? [];
        expect(Number(nodes)).toBeGreaterThan(400);
        expect(Number(made) > 0).toBe(immutable);
        expect(lines.filter((line) => /^(LEFT|FAILED)|CHANGED/.test(line))).toEqual([]);
        expect(lines.filter((line) => line.endsWith(" whole"))).toEqual(
          FILESYSTEMS.map((top) => `${top} whole`),
        );
        const [, left, expected] = /^left (\d+) names, (\d+) expected$/m.exec(lines.join("\n")) ?? [];
        expect(left).toBe(expected);
        // Nothing but what can't be deleted is complained of.
        const complaints = said(machine).filter((line) => /stays|not emptied/.test(line));
        expect(complaints.length > 0).toBe(immutable);
        expect(
          complaints.filter((line) => !/ stays in the rootfs and in memory: .*\(EPERM\)\.$/.test(line)),
        ).toEqual([]);
        // What was planted, the image and the runtime are free again.
        const [, used = ""] = /^in use (\d+) kB$/m.exec(lines.join("\n")) ?? [];
        expect(Number(used)).toBeLessThan(IN_USE_KB);
        expect(IN_USE_KB).toBeLessThan(BIG_KB);
      },
      TEST_MS,
    );
