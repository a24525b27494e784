/** The hand-over's calls behind its checks and moves, each failing in a boot of its own, and what comes of each boot. */

import { type Fault, type Step, bootWithFaults, faultsOf, stepsOf, told } from "./faults.ts";
import { MACHINE_MS, probeDisk, said } from "../scenario.ts";

/** What came of a boot in which a call failed. */
export interface Suffered {
  readonly fault: Fault;
  /** The real init started, or the machine was reset as panic= says; anything else is how the machine ended. */
  readonly outcome: string;
  /** What rdinit said of it; undefined when nothing. */
  readonly sentence: string | undefined;
  /** Whether that is what rdinit promises. */
  readonly right: boolean;
}

const STARTED = "real init started";
const RESET = "reset";

/** Without these there is no going on. */
const NEEDED = /^(mount|chroot|chdir|execve)\(/;

/** What says nothing of a fault: another way is taken, or what was to go is gone. */
const ANSWERS =
  /^(pivot_root\(.*|openat\(cwd, "\/proc\/\d.* ENOENT|unlinkat\(.* ENOTEMPTY|kill\(.* ESRCH|close_range\(.* (ENOSYS|EINVAL))$/;

/** Boots for each fault, those of one kind of call in one step of the hand-over by the first such call. */
export async function* sufferFaults(dir: string): AsyncGenerator<Suffered> {
  const disk = await probeDisk(dir);
  const boot = { disk, append: "root=/dev/vda panic=-1" };
  const record = await bootWithFaults("handover-matrix-record", "record", boot);
  await record.expectEnd("powered off");
  for (const fault of faultsOf(firstOfEach(stepsOf(told(record))))) {
    const machine = await bootWithFaults("handover-matrix", [fault], { ...boot, timeout_ms: 2 * MACHINE_MS });
    const { how } = await machine.ended;
    const started = /^PROBE END \d+$/m.test(machine.console.text) && how === "powered off";
    const outcome = started ? STARTED : how === "rebooted" ? RESET : how;
    const sentence = said(machine).find((line) => line.endsWith(`(${fault.code}).`));
    const told_or_answer = sentence !== undefined || ANSWERS.test(`${fault.call} ${fault.code}`);
    const wanted = NEEDED.test(fault.call) ? RESET : STARTED;
    yield { fault, outcome, sentence, right: outcome === wanted && told_or_answer };
  }
}

function firstOfEach(steps: readonly Step[]): Step[] {
  const seen = new Set<string>();
  return steps.filter(({ phase, call }) => {
    const kind = `${phase} ${NEEDED.test(call) ? call : call.slice(0, call.indexOf("("))}`;
    const late = phase === "processes" || phase === "leaving" || phase === "start";
    if (!late || seen.has(kind)) return false;
    seen.add(kind);
    return true;
  });
}
