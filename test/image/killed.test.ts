/**
 * The builder killed at every step of its writing, its calls made to fail, and the disk full: the image that was
 * there before is there afterwards, and boots.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { startMachine } from "../../qemu/machine.ts";
import { MACHINE_MS, probed, probeDisk, ROOT_UUID } from "../../qemu/scenario.ts";
import {
  recordChanges,
  runWithFault,
  type TracedCall,
  type TracedEnd,
  traceNeeds,
} from "../fixtures/strace.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const ALL_MS = 120_000;

const dir = temporaryDirectory();
const [folder, spare] = [join(dir, "boot"), join(dir, "spare")];
const image = join(folder, "initrd.img");
const DRIVERS = "virtio_pci virtio_blk ext4";
let build: (drivers: string) => string[];
let previous: Buffer;
let next: Buffer;
/** The name that the new image has while it is written, and what the builder does with it. */
let temporary: string;
let calls: TracedCall[];

beforeAll(async () => {
  mkdirSync(folder);
  const { modules } = await stockKernel();
  build = (drivers) => [
    ...[RDINIT, "image", "-c", "/dev/null", "-o", image, "--without-shell"],
    ...["--modules", modules, "--drivers", drivers],
  ];
  await run(build(`${DRIVERS} vfat`));
  next = readFileSync(image);
  await run(build(DRIVERS));
  previous = readFileSync(image);
  copyFileSync(image, spare);
  expect(next.equals(previous)).toBe(false);
}, ALL_MS);

const needs = await traceNeeds();

/** Records how the next image is written, and puts the previous one back. */
async function recordWriting(): Promise<void> {
  const opened = (await recordChanges(build(`${DRIVERS} vfat`), [])).map(({ line }) => line).join("\n");
  temporary = /"([^"]*\.new-[^"]*)", \S*O_CREAT/.exec(opened)?.[1] ?? "";
  expect(temporary).toStartWith(image);
  calls = await recordChanges(build(`${DRIVERS} vfat`), [temporary, image, `${folder}/`]);
  copyFileSync(spare, image);
}

function faulty(call: TracedCall, fault: string): Promise<TracedEnd> {
  return runWithFault(build(`${DRIVERS} vfat`), [temporary, image, `${folder}/`], call, fault);
}

describe.skipIf(needs !== undefined)(`with strace${needs === undefined ? "" : `, but ${needs}`}`, () => {
  beforeAll(recordWriting, ALL_MS);

  test(
    "killed at every step, it leaves the previous image or the whole next one",
    async () => {
      expect(calls.filter(({ name }) => name === "write").length).toBeGreaterThan(20);
      // The file, and later its directory.
      expect(calls.filter(({ name }) => name === "fsync").length).toBe(2);
      const [main = ""] = calls.map(({ thread }) => thread);
      for (const call of calls) {
        const { status, log } = await faulty(call, "signal=SIGKILL");
        // Other threads bring parts to the disk early, one of them more of them and another less each time.
        if (call.thread === main || status !== 0) expect(status, call.line).toBe(137);
        const renamed = /^\d+ .*\brename.* = 0$/m.test(log);
        expect(readFileSync(image).equals(renamed ? next : previous), call.line).toBe(true);
        // What was begun may be left; the run after it clears that away.
        const names = readdirSync(folder).map((name) => join(folder, name));
        expect([image, temporary], call.line).toEqual(expect.arrayContaining(names));
        if (renamed) copyFileSync(spare, image);
      }
      await run(build(`${DRIVERS} vfat`));
      expect(readdirSync(folder)).toEqual(["initrd.img"]);
      expect(readFileSync(image).equals(next)).toBe(true);
      copyFileSync(spare, image);
    },
    ALL_MS,
  );

  test(
    "a call that fails is a sentence, and leaves the previous image alone",
    async () => {
      const writes = calls.filter(({ name }) => name === "write");
      const faults: [TracedCall | undefined, string][] = [
        [calls.find(({ line }) => line.includes("O_CREAT")), "EACCES"],
        [writes.at(0), "ENOSPC"],
        [writes.at(-1), "EIO"],
        [calls.find(({ name }) => name === "fsync"), "EIO"],
        [calls.find(({ name }) => name === "rename"), "EROFS"],
      ];
      for (const [call, error] of faults) {
        if (call === undefined) throw new Error(`no call to fail with ${error}`);
        const { status, stderr } = await faulty(call, `error=${error}`);
        expect(stderr).toMatch(new RegExp(`^rdinit: The image \\S+ can't be written: ${error}: .*\\n$`));
        expect(status).toBe(2);
        expect(readdirSync(folder)).toEqual(["initrd.img"]);
        expect(readFileSync(image).equals(previous)).toBe(true);
      }
    },
    ALL_MS,
  );

  test(
    "a filesystem that brings no directory to the disk takes the next image all the same",
    async () => {
      const ofDirectory = calls.findLast(({ name }) => name === "fsync");
      if (ofDirectory === undefined) throw new Error("no directory is brought to the disk");
      expect(await faulty(ofDirectory, "error=EINVAL")).toMatchObject({ status: 0, stderr: "" });
      expect(readdirSync(folder)).toEqual(["initrd.img"]);
      expect(readFileSync(image).equals(next)).toBe(true);
      copyFileSync(spare, image);
    },
    ALL_MS,
  );
});

test(
  "a full disk is a sentence, and leaves the previous image alone",
  async () => {
    // unshare(1) lets anyone mount: a disk with room for one image and a half.
    const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const kilobytes = Math.ceil((previous.length * 1.5) / 1024);
    const script = [
      `mount -t tmpfs -o size=${kilobytes}k full '${folder}' && cp '${spare}' '${image}' || exit 99`,
      `"$@"; status=$?`,
      `[ $status = 2 ] && cmp '${spare}' '${image}' && [ "$(ls '${folder}')" = initrd.img ]`,
    ].join("\n");
    const argv = ["unshare", ...user, "--mount", "sh", "-c", script, "sh", ...build(`${DRIVERS} vfat`)];
    const { status, stderr } = await tryRun(argv);
    expect(stderr).toMatch(/^rdinit: The image \S+ can't be written: ENOSPC: .*\n$/);
    expect(status).toBe(0);
  },
  ALL_MS,
);

// After all that was done to it.
test(
  "the previous image boots",
  async () => {
    expect(readFileSync(image).equals(previous)).toBe(true);
    const machine = await startMachine({
      name: "killed",
      kernel: (await stockKernel()).vmlinuz,
      initrd: image,
      append: `root=UUID=${ROOT_UUID}`,
      disks: [{ file: await probeDisk(dir) }],
      memory_mb: 512,
      timeout_ms: MACHINE_MS,
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.type")).toBe("ext4");
  },
  ALL_MS,
);
