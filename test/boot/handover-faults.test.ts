/**
 * The hand-over in a real guest with its system calls failing, one in each attempt. Before the point of no return the
 * early userspace stays whole and the boot is tried again; behind it rdinit says why and does as panic= says, or goes
 * on without what is no reason to stop. test/faults does the same in memory, with every call.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import {
  FAULT_WORDS,
  type Fault,
  type Phase,
  type Step,
  bootWithFaults,
  faultsOf,
  stepsOf,
  told,
} from "../../qemu/handover/faults.ts";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import {
  type Listing,
  type Rule,
  compare,
  describeDifferences,
  parseListing,
  referenceListing,
} from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const APPEND = "root=/dev/vda panic=-1";
const dir = temporaryDirectory();
let disk: string;
let direct: Listing;
let steps: Step[];

beforeAll(async () => {
  disk = await probeDisk(dir);
  direct = await referenceListing({
    name: "handover-faults-direct",
    kernel: (await builtinKernel()).vmlinuz,
    append: `${FAULT_WORDS} ${APPEND}`,
    disks: [{ file: disk }],
    timeout_ms: MACHINE_MS,
  });
  const machine = await bootWithFaults("handover-faults-record", "record", { disk, append: APPEND });
  await machine.expectEnd("powered off");
  steps = stepsOf(told(machine));
}, 2 * TEST_MS);

/** What the program that makes the calls fail leaves for the real init to see. */
const KEEPER: readonly Rule[] = [
  { key: /^process\.\d+(\.cmdline)?$/, why: "it stays", allows: (_, through) => /fault/.test(through ?? "") },
  { key: /^processes\.others$/, why: "it stays", allows: (_, through) => through === "1" },
  { key: /^(prctl\.seccomp|status\.Seccomp(_filters)?)$/, why: "it listens by a filter" },
];

/** The faults of these phases after which the boot must be tried again. */
function refused(...phases: readonly Phase[]): Fault[] {
  const wanted = steps.filter(({ phase, call }) => phases.includes(phase) && !call.includes("/dev/kmsg"));
  // A directory that the new root has not is passed over.
  return faultsOf(wanted).filter(
    ({ call, code }) => !(code === "ENOENT" && /^statx.*"\/sysroot\/(proc|sys|dev|run)"/.test(call)),
  );
}

for (const phase of ["checks", "moves"] as const)
  test(
    `${phase}: each call fails with each of its errors, and in the end the boot is as good as any`,
    async () => {
      const faults = refused(phase);
      expect(faults.length).toBeGreaterThan(20);
      const machine = await bootWithFaults(`handover-faults-${phase}`, faults, {
        disk,
        append: APPEND,
        timeout_ms: 3 * MACHINE_MS,
      });
      await machine.console.expect(/^PROBE END \d+$/m, 3 * MACHINE_MS);
      await machine.expectEnd("powered off");
      const attempts = machine.console.text.split(/fault: hand-over \d+ begins\n/).slice(1);
      expect(attempts.length).toBe(faults.length + 1);
      const whole = /fault: (early userspace: [^\n]*)/;
      const before = whole.exec(attempts[0] ?? "")?.[1];
      expect(before).toEndWith("mounted /dev /proc /run /sys /sysroot");
      for (const [at, { call, code }] of faults.entries()) {
        const attempt = attempts[at] ?? "";
        const [, seen] = whole.exec(attempt.slice(attempt.indexOf("Starting a rescue shell"))) ?? [];
        expect(attempt).toContain(`fault: ${call} fails with ${code}\n`);
        expect(attempt).toMatch(/rdinit: (The|It|\/) ?[^\n]*\.\n[^]*Starting a rescue shell/);
        expect(`${call} ${code}: ${seen}`).toBe(`${call} ${code}: ${before}`);
      }
      const through = parseListing(machine.console.text);
      expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...KEEPER]))).toBe("");
    },
    4 * MACHINE_MS,
  );

/** The step whose call begins so, with an errno. */
function faultAt(call: string, code: Fault["code"]): Fault {
  const step = steps.find((one) => one.call.startsWith(call));
  if (step === undefined) throw new Error(`no call of the hand-over begins with ${call}`);
  return { call: step.call, times: step.times, code };
}

describe("behind the point of no return, what can't be done without", () => {
  const lost: readonly [string, Fault["code"], RegExp][] = [
    ['mount("."', "EBUSY", /^The hand-over failed at moving the new root over the rootfs: .*\(EBUSY\)\.$/],
    ["chroot", "EPERM", /^The hand-over failed at moving the new root over the rootfs: .*\(EPERM\)\.$/],
    ['chdir("/")', "EIO", /^The hand-over failed at moving the new root over the rootfs: .*\(EIO\)\.$/],
    ["execve", "ENOMEM", /^The hand-over failed at starting \/sbin\/init: .*\(ENOMEM\)\.$/],
  ];
  for (const [call, code, sentence] of lost)
    test(
      `${call} ${code}: rdinit says so, and the machine is reset as panic=-1 says`,
      async () => {
        const fault = faultAt(call, code);
        const machine = await bootWithFaults("handover-faults-lost", [fault], { disk, append: APPEND });
        await machine.expectEnd("rebooted");
        expectSaid(machine, [
          sentence,
          "Nothing is left that could be tried again.",
          "Rebooting at once, as panic= asks.",
        ]);
      },
      TEST_MS,
    );

  test(
    "without panic= the machine waits, and says so",
    async () => {
      const fault = faultAt("execve", "EACCES");
      const append = "root=/dev/vda";
      await using machine = await bootWithFaults("handover-faults-wait", [fault], { disk, append });
      await machine.console.expect("The machine waits here for ever.", MACHINE_MS);
      expectSaid(machine, [/^The hand-over failed at starting \/sbin\/init: .*\(EACCES\)\.$/]);
    },
    TEST_MS,
  );
});

describe("what can be done without: rdinit says what is missing, and the real init starts", () => {
  const passed: readonly { call: string; code: Fault["code"]; says: RegExp; differs: readonly string[] }[] = [
    {
      call: "waitid(0",
      code: "EINVAL",
      says: /^processes of the early userspace may be left to the new init: .*\(EINVAL\)\.$/,
      differs: [],
    },
    {
      call: 'openat(cwd, "/", ',
      code: "EMFILE",
      says: /^the rootfs was not emptied whole, its memory stays in use: .*\(EMFILE\)\.$/,
      differs: ["memory.free", "memory.Cached", "memory.Unevictable"],
    },
    {
      call: 'unlinkat(/, "bin"',
      code: "EBUSY",
      says: /^bin stays in the rootfs and in memory: .*\(EBUSY\)\.$/,
      differs: [],
    },
    {
      call: 'openat(cwd, "/dev/console"',
      code: "EIO",
      says: /^the new init starts without a console: .*\(EIO\)\.$/,
      differs: ["fd.", "tty"],
    },
    {
      call: "prlimit64",
      code: "EPERM",
      says: /^the limit on open files could not be put back for the new init: .*\(EPERM\)\.$/,
      differs: ["rlimit.nofile"],
    },
    {
      call: "rt_sigaction(13, set",
      code: "EINVAL",
      says: /^ignored signals could not be put back for the new init: .*\(EINVAL\)\.$/,
      differs: ["signal.13", "status.SigIgn"],
    },
  ];
  for (const { call, code, says, differs } of passed)
    test(
      `${call} ${code}`,
      async () => {
        const fault = faultAt(call, code);
        const machine = await bootWithFaults("handover-faults-passed", [fault], { disk, append: APPEND });
        const through = await probed(machine);
        expectSaid(machine, [says]);
        const found = compare(direct, through, [...HANDOVER_RULES, ...KEEPER]);
        const unexpected = found.filter(({ key }) => !differs.some((start) => key.startsWith(start)));
        expect(describeDifferences(unexpected)).toBe("");
        if (differs.length > 0) expect(found.length).toBeGreaterThan(0);
      },
      TEST_MS,
    );

  test(
    "what the kernel answers on an older one is no fault: close_range(2) unknown",
    async () => {
      const fault = faultAt("close_range", "ENOSYS");
      const machine = await bootWithFaults("handover-faults-older", [fault], { disk, append: APPEND });
      const through = await probed(machine);
      expect(said(machine).filter((line) => line.includes("could not be"))).toEqual([]);
      expect(describeDifferences(compare(direct, through, [...HANDOVER_RULES, ...KEEPER]))).toBe("");
    },
    TEST_MS,
  );
});
