/**
 * The hand-over in a guest with its system calls failing, one in each attempt: test/boot/handover-fault.c makes
 * them fail, by seccomp_unotify(2).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ErrnoCode, errnoNumber } from "../../syscalls/errno.ts";
import { PROJECT, compile } from "../host.ts";
import { rdinitImage } from "../images.ts";
import type { Machine } from "../machine.ts";
import { MACHINE_MS, bootRdinit } from "../scenario.ts";

/** A call that fails: the one whose description begins with `call` when it comes for the `times`-th time. */
export interface Fault {
  readonly call: string;
  readonly times: number;
  readonly code: ErrnoCode;
}

/** The steps of the hand-over, in the order of their calls. */
export type Phase = "checks" | "processes" | "moves" | "leaving" | "start";

export interface Step {
  readonly phase: Phase;
  /** `mount("/proc", "/sysroot/proc", 2000)` */
  readonly call: string;
  /** How often such a call has come by then. */
  readonly times: number;
}

/** What each call may answer (section 2 of the manual) when its arguments are valid. */
const ERRNOS: Readonly<Record<string, readonly ErrnoCode[]>> = {
  chdir: ["EACCES", "EIO", "ENOENT", "ENOMEM"],
  chroot: ["EIO", "ENOMEM", "EPERM"],
  close_range: ["EINVAL", "ENOMEM", "ENOSYS"],
  dup3: ["EBUSY", "EMFILE"],
  execve: ["E2BIG", "EACCES", "EIO", "ENOENT", "ENOEXEC", "ENOMEM"],
  faccessat: ["EACCES", "EIO", "ENOENT"],
  getdents64: ["EIO", "ENOENT"],
  kill: ["EPERM", "ESRCH"],
  mount: ["EBUSY", "EINVAL", "ENOENT", "ENOMEM", "EPERM"],
  openat: ["EACCES", "EIO", "EMFILE", "ENFILE", "ENOENT", "ENOMEM"],
  pivot_root: ["EBUSY", "EINVAL", "ENOTDIR", "EPERM"],
  pread64: ["EIO"],
  prlimit64: ["EINVAL", "EPERM"],
  read: ["EIO", "EISDIR"],
  readlinkat: ["EINVAL", "EIO"],
  rt_sigaction: ["EINVAL"],
  rt_sigprocmask: ["EINVAL"],
  statfs: ["EIO", "ENOSYS"],
  statx: ["EACCES", "EIO", "ELOOP", "ENOENT", "ENOMEM"],
  umount2: ["EBUSY", "EINVAL", "EPERM"],
  unlinkat: ["EBUSY", "EIO", "ENOENT", "ENOTEMPTY", "EPERM", "EROFS"],
  waitid: ["EINVAL"],
};

/** Words of the command line of such a boot besides root= and panic=: the last lets every line be told. */
export const FAULT_WORDS = "rdinit=/fault printk.devkmsg=on";

/** Boots with these faults, one for each hand-over that is tried; `record` has every call of the first told. */
export async function bootWithFaults(
  name: string,
  faults: readonly Fault[] | "record",
  boot: { readonly disk: string; readonly append: string; readonly timeout_ms?: number },
): Promise<Machine> {
  const program = readFileSync(
    await compile("handover-fault", [join(PROJECT, "test/boot/handover-fault.c")]),
  );
  const lines =
    faults === "record"
      ? ["record"]
      : faults.map(({ call, times, code }) => `${times} ${errnoNumber(code)} ${call}`);
  const initrd = await rdinitImage({
    name: "handover-faults",
    files: [
      ...["/fault", "/bin/sh", "/etc/rdinit.d/cleanup/10-fault"].map((to) => ({
        to,
        data: program,
        mode: 0o755,
      })),
      { to: "/faults", data: Buffer.from(`${lines.join("\n")}\n`), mode: 0o644 },
    ],
  });
  return bootRdinit(name, {
    append: `${FAULT_WORDS} ${boot.append}`,
    disks: [{ file: boot.disk }],
    initrd,
    timeout_ms: boot.timeout_ms ?? MACHINE_MS,
  });
}

/** The lines that the fault program told, without the kernel's time and its own name. */
export function told(machine: Machine): string[] {
  return [...machine.console.text.matchAll(/^\[ *\d+\.\d+\] fault: ([^\n]*)$/gm)].map(
    ([, line = ""]) => line,
  );
}

/** The steps of a hand-over that was told call by call. Throws Error when it has no beginning or no end. */
export function stepsOf(lines: readonly string[]): Step[] {
  const calls = lines.filter((line) => line.startsWith("call ")).map((line) => line.slice("call ".length));
  const from = (start: string, behind: number): number => {
    const at = calls.findIndex((call, index) => index >= behind && call.startsWith(start));
    if (at < 0) throw new Error(`no call '${start}' is in the hand-over: ${calls.join("\n")}`);
    return at;
  };
  const checks = from('statx(cwd, "/"', 0);
  const processes = from("waitid(0", checks);
  const firstMove = from("mount(", processes);
  const moves = calls.findLastIndex((call, at) => at < firstMove && call.includes("/proc/self/mountinfo"));
  const leaving = from("pivot_root(", firstMove);
  const start = from('openat(cwd, "/dev/console"', leaving);
  const end = from("execve(", start);
  const phaseAt = (at: number): Phase =>
    at < processes
      ? "checks"
      : at < moves
        ? "processes"
        : at < leaving
          ? "moves"
          : at < start
            ? "leaving"
            : "start";
  return calls.slice(checks, end + 1).map((call, index) => {
    const at = checks + index;
    const times = calls.slice(0, at + 1).filter((earlier) => earlier.startsWith(call)).length;
    return { phase: phaseAt(at), call, times };
  });
}

/** Each step with each errno that its call may answer. */
export function faultsOf(steps: readonly Step[]): Fault[] {
  return steps.flatMap(({ call, times }) =>
    (ERRNOS[call.slice(0, call.indexOf("("))] ?? []).map((code) => ({ call, times, code })),
  );
}
