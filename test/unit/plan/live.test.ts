import { expect, test } from "bun:test";
import { checkLive } from "../../../src/check/live.ts";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import type { ModuleIndex } from "../../../src/modules/index.ts";
import { planBoot } from "../../../src/plan/plan.ts";

function steps(line: string): readonly string[] {
  return planBoot(line).steps.filter(
    (step) => /image|overlay|^Mount it|^Wait for/.test(step) && !step.includes("own tool"),
  );
}

test("a live root is planned", () => {
  expect(
    steps("root=live:CDLABEL=x rd.live.dir=os rd.live.ram rd.live.overlay.size=64").slice(0, -1),
  ).toEqual([
    "Wait for at most 30 s until LABEL=x is there.",
    "Take it as the image of the root, if it is a squashfs or erofs; or else the file os/squashfs.img on it.",
    "Copy the image to memory, and let go of the device.",
    "Mount the image on /sysroot, read-only.",
    "Cover it with an overlay: changes are kept in memory (at most 64 MiB) and lost when the machine goes off.",
  ]);
});

test("an overlay is planned, and what is below it is mounted read-only", () => {
  expect(steps("root=/dev/vda rw rd.overlay=LABEL=o rd.overlay.reset").slice(1, -1)).toEqual([
    "Mount it on /sysroot as the filesystem that its superblock names, read-only.",
    "Cover it with an overlay that is emptied first: changes are kept on LABEL=o, in LiveOS/overlay-LABEL-UUID of the root's device.",
  ]);
  expect(steps("root=/dev/vda rd.overlay=LABEL=o:x rd.overlay.readonly")).toContain(
    "Cover it with the overlay on LABEL=o, in x, which stays as it is; further changes are kept in memory (at most 50% of it) and lost when the machine goes off.",
  );
  expect(steps("root=/dev/vda rw rd.overlay=0").slice(1, -1)).toEqual([
    "Mount it on /sysroot as the filesystem that its superblock names, read-write.",
  ]);
});

/** Modules of an image for a kernel that has erofs built in. */
function only(...names: string[]): ModuleIndex {
  const module = (name: string) => (names.includes(name) ? { name } : undefined);
  return { module, isBuiltin: (name: string) => name === "erofs" } as unknown as ModuleIndex;
}

function check(line: string, modules: ModuleIndex | undefined): string[] {
  return checkLive(parseCommandLine(line), modules).map(({ sentence }) => sentence);
}

test("an image without the drivers of what is asked for would not boot", () => {
  expect(check("root=live:/dev/vda", only())).toEqual([
    "A live root in a file needs the module loop, which is not in the image.",
    "The overlay over the root needs the module overlay, which is not in the image.",
  ]);
  expect(check("root=live:/dev/vda rd.overlay=0", only("loop"))).toEqual([]);
  expect(check("root=/dev/vda rd.overlay=1", only("overlay"))).toEqual([]);
  expect(check("root=live:/dev/vda", undefined)).toEqual([]);
});
