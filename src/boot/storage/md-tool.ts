/** Puts an array together by mdadm(8). */

import {
  O_CLOEXEC,
  O_WRONLY,
  SysError,
  exists,
  list,
  mkdirs,
  readTextIfThere,
} from "../../../syscalls/index.ts";
import { colonUuid } from "../../lib/uuid.ts";
import { type ChildResult, describeEnd, runChild, succeeded } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { lastLines } from "../children/output.ts";
import type { MdArray } from "./md-arrays.ts";
import { describeArray } from "./md-words.ts";

/** How a tool is run: `runChild`, or another one in tests. */
export type Run = typeof runChild;

/**
 * Runs `mdadm --assemble` for an array with all its members. It starts read-only until the first write, so that
 * nothing is written to a disk by the mere look at it: a hibernated system may wait on it, or it may be the wrong half
 * of a mirror.
 * @param device the device that it gets: "/dev/md0", "/dev/md/root"
 * @param insist whether it is started although members are missing that worked (--run)
 * @returns a clause about why the array does not run, undefined when it does
 */
export async function assemble(
  boot: Boot,
  run: Run,
  array: MdArray,
  device: string,
  insist: boolean,
): Promise<string | undefined> {
  const words = [device, ...(insist ? ["--run"] : []), `--uuid=${colonUuid(array.uuid)}`];
  const members = array.devices.map(({ node }) => node);
  // mdadm would make it for a group of its own choice.
  mkdirs(boot.sys, "/dev/md");
  const title = `mdadm for ${describeArray(array)}`;
  const result = await readOnlyAtFirst(boot, () =>
    mdadm(boot, run, ["--assemble", ...words, ...members], title),
  );
  if (succeeded(result.end)) return undefined;
  if (result.end.kind === "failed") return lackOfTool(result.end.why);
  // It keeps the members that it could not start, and they would be busy at the next try.
  if (exists(boot.sys, device)) await mdadm(boot, run, ["--stop", device], `mdadm --stop ${device}`);
  const said = lastLines(result.output, 3).map((line) => line.replace(/^mdadm: |\.$/g, ""));
  return [`mdadm ${describeEnd(result.end)}`, ...said].join("; ");
}

/**
 * Whether the array runs already: of the kernel's making (raid=), a hook's, or an earlier try's. One that has members
 * and does not run is taken apart, as they would be busy.
 */
export async function isRunning(boot: Boot, run: Run, { devices }: MdArray): Promise<boolean> {
  const { sys } = boot;
  const holders = devices.flatMap(({ name }) => {
    const directory = `/sys/class/block/${name}/holders`;
    return exists(sys, directory) ? list(sys, directory).map((holder) => holder.name) : [];
  });
  for (const name of new Set(holders.filter((holder) => /^md[_\d]/.test(holder)))) {
    const state = readTextIfThere(sys, `/sys/class/block/${name}/md/array_state`)?.trim() ?? "clear";
    if (state !== "inactive" && state !== "clear") return true;
    await mdadm(boot, run, ["--stop", `/dev/${name}`], `mdadm --stop /dev/${name}`);
  }
  return false;
}

/** The kernel modules for a level as mdadm names it. */
export function modulesFor(level: string): string[] {
  return ["md_mod", ["raid4", "raid5", "raid6"].includes(level) ? "raid456" : level];
}

async function mdadm(boot: Boot, run: Run, argv: readonly string[], title: string): Promise<ChildResult> {
  return run(boot, {
    argv: ["mdadm", ...argv],
    name: "mdadm",
    title,
    // No udev runs: it makes the node, and the link in /dev/md.
    env: { LC_ALL: "C", MDADM_NO_UDEV: "1", MDADM_NO_SYSTEMCTL: "1" },
    show: "never",
    deadline_ms: 30_000,
  });
}

function lackOfTool(why: string): string {
  return why === "is not in the image"
    ? "mdadm is not in the image: build it with --tools mdadm"
    : `mdadm ${why}`;
}

const START_RO = "/sys/module/md_mod/parameters/start_ro";

// A knob of the kernel's for all arrays (Documentation/admin-guide/md.rst), put back for those of the real system.
async function readOnlyAtFirst<T>({ sys, log }: Boot, act: () => Promise<T>): Promise<T> {
  const before = readTextIfThere(sys, START_RO)?.trim();
  if (before === undefined || before === "1") return act();
  const set = (value: string): void => {
    try {
      const fd = sys.open(START_RO, O_WRONLY | O_CLOEXEC);
      try {
        sys.write(fd, Buffer.from(value));
      } finally {
        sys.close(fd);
      }
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      log.debug(`${START_RO} can't be set to ${value}: ${error.message}`);
    }
  };
  set("1");
  return act().finally(() => set(before));
}
