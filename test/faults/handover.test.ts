/** The hand-over with each of its calls failing in turn, in every way that the call's man page lists. */

import { describe, expect, test } from "bun:test";
import type { ErrnoCode } from "../../syscalls/errno.ts";
import type { FakeKernel, FakeOptions } from "../../syscalls/fake.ts";
import type { FileSystem } from "../../syscalls/fake/inode.ts";
import type { Call } from "../../syscalls/intercept.ts";
import { type Method, refusalOf } from "../../syscalls/methods.ts";
import { showCall } from "../../syscalls/traced.ts";
import {
  type Outcome,
  contentText,
  contentsOf,
  earlyMachine,
  legacy,
  otherContents,
  rootfsOf,
  runHandOver,
  stateOf,
} from "../fixtures/early-machine.ts";

/** What each call may answer (section 2 of the manual); those that can't fail on valid arguments have none. */
const errnos: Partial<Record<Method, readonly ErrnoCode[]>> = {
  access: ["EACCES", "EIO", "ENOENT"],
  boottime: [],
  chdir: ["EACCES", "EIO", "ENOENT", "ENOMEM"],
  chroot: ["EIO", "ENOMEM", "EPERM"],
  close: ["EIO"],
  closeRange: ["EINVAL", "ENOMEM", "ENOSYS"],
  disposition: ["EINVAL"],
  dup3: ["EBUSY", "EMFILE"],
  execve: ["E2BIG", "EACCES", "EIO", "ENOENT", "ENOEXEC", "ENOMEM"],
  fstat: ["EIO", "ENOMEM"],
  getdents: ["EIO", "ENOENT"],
  getpid: [],
  kill: ["EPERM", "ESRCH"],
  mount: ["EBUSY", "EINVAL", "ENOENT", "ENOMEM", "EPERM"],
  open: ["EACCES", "EIO", "EMFILE", "ENFILE", "ENOENT", "ENOMEM"],
  openat: ["EIO", "ELOOP", "EMFILE", "ENOENT"],
  pivotRoot: ["EBUSY", "EINVAL", "ENOTDIR", "EPERM"],
  pread: ["EIO"],
  read: ["EIO", "EISDIR"],
  readlink: ["EINVAL", "EIO"],
  resetSignal: ["EINVAL"],
  setrlimit: ["EINVAL", "EPERM"],
  stat: ["EACCES", "EIO", "ELOOP", "ENOENT", "ENOMEM"],
  statfs: ["EIO", "ENOSYS"],
  umask: [],
  umount: ["EBUSY", "EINVAL", "EPERM"],
  uname: [],
  unblockSignals: ["EINVAL"],
  unlinkat: ["EBUSY", "EIO", "ENOENT", "ENOTEMPTY", "EPERM", "EROFS"],
  // ECHILD would be a lie where there are children, and EINTR is met below (syscalls/driver.ts).
  waitid: ["EINVAL"],
};

type Kind = Outcome["kind"];

/**
 * What must come of a call that fails, by the phase that it belongs to: the first row that matches the call,
 * as showCall() writes it, with its errno behind.
 */
const expectations = {
  // What can't be found out stops the hand-over; that the new root has no /boot is an answer.
  checks: [
    [/^stat\(-100, "\/sysroot\/boot", 0x100\) ENOENT/, "completed"],
    [/./, "refused"],
  ],
  // A process too many is told, and no reason to stay.
  processes: [[/./, "completed"]],
  moves: [
    [/^stat.* ENOENT/, "completed"],
    [/./, "refused"],
  ],
  leaving: [
    // The old root has its place, but not its mount options: told, and no reason to stop.
    [/^mount\("", "\/boot"/, "completed"],
    [/^(mount|chroot|chdir|umount\("\.")/, "lost"],
    [/./, "completed"],
  ],
  start: [
    [/^execve/, "lost"],
    [/./, "completed"],
  ],
} as const satisfies Record<string, readonly (readonly [RegExp, Kind])[]>;

/** Where what the call says is an answer, not a fault: the result may differ without a warning. */
const answers = /^(stat.* ENOENT|unlinkat.* ENOTEMPTY|pivotRoot)/;

interface Leaving {
  readonly options: FakeOptions;
  /** What a pivot_root(2) that fails must come to. */
  readonly unpivoted: Kind;
}

const machines: Readonly<Record<string, Leaving>> = {
  "an initramfs": { options: {}, unpivoted: "completed" },
  "an initramfs on Linux 7": { options: { rootMovable: true }, unpivoted: "completed" },
  "a real filesystem": { options: { rootMovable: true, rootfsType: "ext4" }, unpivoted: "refused" },
};

for (const [title, { options, unpivoted }] of Object.entries(machines)) {
  const build = (): FakeKernel =>
    earlyMachine({
      ...options,
      processes: [
        { pid: 50, name: "dhcp" },
        { pid: 51, ppid: 50, name: "hook" },
      ],
    });
  describe(`leaving ${title}`, () => {
    test("each call fails once", async () => {
      const kernel = build();
      const rootfs = rootfsOf(kernel);
      const good = await runHandOver(kernel);
      expect(good).toMatchObject({ kind: "completed", warnings: [] });
      const goodState = [...stateOf(kernel), ...contentsOf(rootfs).keys()];
      const phaseOf = phases(good.calls);
      const faults = good.calls.flatMap((call, index) =>
        codesOf(call).map((code) => ({ call, index, code })),
      );
      expect(faults.length).toBeGreaterThan(300);
      for (const fault of faults) {
        const shown = `${showCall(fault.call)} ${fault.code}`;
        const rows = expectations[phaseOf(fault.index)];
        const expected = shown.startsWith("pivotRoot")
          ? unpivoted
          : rows.find(([pattern]) => pattern.test(shown))?.[1];
        await failOne(build(), { ...fault, shown: `call ${fault.index + 1}, ${shown}`, expected, goodState });
      }
    });

    test("each kind of call fails from its first time on", async () => {
      const good = await runHandOver(build());
      const names = new Set(good.calls.map(({ name }) => name));
      for (const method of names)
        for (const code of errnos[method] ?? []) {
          const kernel = build();
          const others = otherContents(kernel);
          const outcome = await runHandOver(kernel, (call, proceed) => {
            if (call.name !== method) return proceed();
            throw refusalOf(call.name, call.args, code);
          });
          const what = `${method} always ${code}: ${String(outcome.error)}`;
          expect(outcome.kind, what).toBeOneOf(["completed", "refused", "lost"]);
          expectUnharmed(others, what);
        }
    });
  });
}

interface Fault {
  readonly index: number;
  readonly call: Call;
  readonly code: ErrnoCode;
  readonly shown: string;
  readonly expected: Kind | undefined;
  readonly goodState: readonly string[];
}

async function failOne(
  kernel: FakeKernel,
  { index, code, shown, expected, goodState }: Fault,
): Promise<void> {
  const rootfs = rootfsOf(kernel);
  const early = { files: contentsOf(rootfs), state: stateOf(kernel).filter(staysWhenRefused) };
  const others = otherContents(kernel);
  const outcome = await runHandOver(kernel, (call, proceed, number) => {
    if (number !== index + 1) return proceed();
    throw refusalOf(call.name, call.args, code);
  });
  const what = `${shown}: ${String(outcome.error)}`;

  expect(outcome.kind, what).toBe(expected ?? "other");
  expectUnharmed(others, what);
  if (outcome.kind === "completed") {
    expect(outcome.executed?.argv, what).toEqual(["/sbin/init", ...legacy.args]);
    expect(outcome.executed?.env, what).toEqual([...legacy.env]);
    const told = outcome.warnings.length > 0 || answers.test(shown.replace(/^.*?, /, ""));
    if (!told) expect([...stateOf(kernel), ...contentsOf(rootfs).keys()], what).toEqual([...goodState]);
    return;
  }
  expect(String(outcome.error), what).toMatch(/^UserError: (The|It|\/)[^\n]* [^\n]*\.$/);
  if (outcome.kind === "refused") {
    expect(contentsOf(rootfs), what).toEqual(early.files);
    expect(stateOf(kernel).filter(staysWhenRefused), what).toEqual(early.state);
  } else {
    expect(String(outcome.error), what).toMatch(
      new RegExp(`The hand-over failed at [a-z /]+: .* \\(${code}\\)\\.$`),
    );
  }
}

function expectUnharmed(before: ReadonlyMap<FileSystem, string>, what: string): void {
  for (const [fs, content] of before) expect(contentText(fs), what).toBe(content);
}

// Processes are stopped before; and a close that was not made leaves a descriptor.
function staysWhenRefused(line: string): boolean {
  return !/^(process|fd ([3-9]|\d\d))/.test(line);
}

function codesOf({ name }: Call): readonly ErrnoCode[] {
  const codes = errnos[name];
  if (codes === undefined) throw new Error(`the table of errnos lacks ${name}`);
  return codes;
}

/** Tells the phase of each call of a good run by its place in it. */
function phases(calls: readonly Call[]): (index: number) => keyof typeof expectations {
  const shown = calls.map(showCall);
  const stops = shown.findIndex((call) => call.startsWith("waitid"));
  const moves = shown.findIndex((call, index) => index > stops && call.includes("mountinfo"));
  const pivots = shown.findIndex((call) => call.startsWith("pivotRoot"));
  const starts = shown.findIndex((call) => call.startsWith('umount("/dev/pts"'));
  if (!(0 < stops && stops < moves && moves < pivots && pivots < starts))
    throw new Error("the hand-over has not the phases that this test knows");
  return (index) => {
    if (index < stops) return "checks";
    if (index < moves) return "processes";
    if (index <= pivots) return "moves";
    return index < starts ? "leaving" : "start";
  };
}
