/**
 * Programs of the image's maker, run at named points of the boot.
 *
 * /etc/rdinit.d/POINT/ holds them, any executables. Those of one point run one after the other in the order of their
 * names (bytes compared, as run-parts(8) does it: 10-a, 20-b), each with this environment:
 *
 *   RDINIT_POINT   the point's name
 *   RDINIT_ROOT    the root device's node (/dev/vda1), from pre-mount on; unset when the root is no block device
 *   NEWROOT        /sysroot, where the root is mounted or is to be
 *   PATH, HOME, TERM
 *
 * and with / as working directory, nothing on standard input, and what they print shown with their name in front.
 * A hook that fails, or takes longer than rd.hook.timeout=, is told and the boot goes on, as in dracut.
 *
 * What a hook leaves running ends before the real init starts, unless its name begins with @ (handover/processes.ts). Such
 * a daemon must have let go of its standard output by then. /dev is the kernel's own: it has no /dev/stderr.
 */

import { SysError, isErrno, list } from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { describe } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { describeEnd, runChild, succeeded } from "./children/children.ts";
import { type Boot, newRoot } from "./context.ts";
import { whyNotExecutable } from "./handover/newinit.ts";
import { type HookPoint, hookPoints } from "./points.ts";
import { breakAt } from "./rescue/rescue.ts";

/** Where hooks are, in the image: a directory for each point. */
export const hooksDirectory = "/etc/rdinit.d";

/**
 * Runs the hooks of one point, after the shell that rd.break= asks for there. Never throws. `cmdline` and `pre-trigger` come once in a boot, but for an error
 * before the devices are listened to; all others each time that the boot comes to them: when it is tried again
 * after a failure, a hook may run a second time.
 * @param root the root device's node, when it is known
 */
export async function runHooks(
  boot: Boot,
  point: HookPoint,
  root?: string,
  run: typeof runChild = runChild,
): Promise<void> {
  const { sys, log, options } = boot;
  if (options.breakAt.includes(point)) await breakAt(boot, point);
  const directory = `${hooksDirectory}/${point}`;
  const { hooks, complaints } = chooseHooks(namesIn(boot, directory));
  for (const complaint of complaints) log.warning(`${directory}/${complaint}`);
  const span = hooks.length > 0 ? boot.timing.begin("step", `hooks of ${point}`) : undefined;
  for (const hook of hooks) {
    const path = `${directory}/${hook}`;
    const title = `the hook ${hook} (${point})`;
    const fault = whyNotExecutable(sys, "/", path);
    if (fault !== undefined) {
      log.warning(`${title} is not run: ${path} ${fault}.`);
      continue;
    }
    const { end } = await run(boot, {
      argv: [path],
      name: hook,
      title,
      env: { RDINIT_POINT: point, NEWROOT: newRoot, ...(root === undefined ? {} : { RDINIT_ROOT: root }) },
      show: "live",
      deadline_ms: options.hookTimeout_ms,
    });
    if (!succeeded(end)) log.warning(`${title} ${describeEnd(end)}; the boot goes on.`);
  }
  span?.ends();
}

/** True when the image holds something to run at this point. */
export function hasHooks(boot: Boot, point: HookPoint): boolean {
  return chooseHooks(namesIn(boot, `${hooksDirectory}/${point}`)).hooks.length > 0;
}

/**
 * Of the names in a point's directory those that are run, in their order. The others are passed over: hidden files
 * and what editors and package managers leave, silently; names with other characters than letters, digits, `_`, `-`
 * and `.` (run-parts(8)) with a sentence, which begins with the name.
 */
export function chooseHooks(names: readonly string[]): { hooks: string[]; complaints: string[] } {
  const candidates = names.filter((name) => !leftovers.test(name)).toSorted((a, b) => (a < b ? -1 : 1));
  return {
    hooks: candidates.filter((name) => plainName.test(name)),
    complaints: candidates
      .filter((name) => !plainName.test(name))
      .map(
        (name) => `${text(name)} is not run: its name may only hold letters, digits, _, - and . (no spaces).`,
      ),
  };
}

const plainName = /^[A-Za-z0-9_.-]+$/;
const leftovers = /^\.|~$|\.(dpkg|ucf)-[a-z]+$|\.rpm(save|new|orig)$/;

/** Sentences about directories of hooks that are none of the points, for names as `hooksDirectory` lists them. */
export function unknownPoints(names: readonly string[]): string[] {
  const known: readonly string[] = hookPoints.map(({ name }) => name);
  return names
    .filter((name) => !known.includes(name) && !leftovers.test(name))
    .map((name) => {
      const meant = nearest(name, known);
      return (
        `${hooksDirectory}/${text(name)} is no point of the boot, and nothing in it is run` +
        `${meant === undefined ? "" : `; ${meant} is one`}.`
      );
    });
}

/** Warns of what will never be run, as its directory is none of the points. */
export function warnOfUnknownPoints(boot: Boot): void {
  for (const sentence of unknownPoints(namesIn(boot, hooksDirectory))) boot.log.warning(sentence);
}

function namesIn({ sys, log }: Boot, directory: string): string[] {
  try {
    return list(sys, directory).map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (!isErrno(error, "ENOENT", "ENOTDIR")) log.warning(`no hooks of ${directory}: ${describe(error)}.`);
    return [];
  }
}
