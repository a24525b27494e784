/** Processes, their limits and signals, and the machine as a whole. */

import { View, toCString } from "../../src/lib/bytes.ts";
import {
  CLOCK_BOOTTIME,
  LINUX_REBOOT_CMD_HALT,
  LINUX_REBOOT_CMD_KEXEC,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
  LINUX_REBOOT_MAGIC1,
  LINUX_REBOOT_MAGIC2,
  P_ALL,
  P_PID,
  SIG_SETMASK,
  WCONTINUED,
  WSTOPPED,
} from "../constants.ts";
import { errnoNumber, fail } from "../errno.ts";
import {
  SIZE,
  packPointers,
  packRlimit,
  readDisposition,
  readRlimit,
  readSiginfo,
  readTimespec,
  readUtsname,
} from "../struct.ts";
import type { LastAction, Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

const REBOOT_COMMANDS: Readonly<Record<LastAction, number>> = {
  halt: LINUX_REBOOT_CMD_HALT,
  kexec: LINUX_REBOOT_CMD_KEXEC,
  power_off: LINUX_REBOOT_CMD_POWER_OFF,
  restart: LINUX_REBOOT_CMD_RESTART,
};

export function processes(k: Kernel) {
  const info = new Uint8Array(SIZE.siginfo);
  const infoView = new View(info);
  const time = new Uint8Array(SIZE.timespec);
  const timeView = new View(time);

  return {
    getpid: () => k.call("getpid", "getpid", undefined),
    kill(pid, signal) {
      k.call("kill", "kill", undefined, pid, signal);
    },
    waitid(pid, options) {
      // A child that stopped or went on has no ChildStatus.
      if ((options & (WSTOPPED | WCONTINUED)) !== 0) fail("waitid", errnoNumber("EINVAL"));
      info.fill(0);
      k.call("waitid", "waitid", undefined, pid === 0 ? P_ALL : P_PID, pid, info, options, null);
      return readSiginfo(infoView);
    },
    execve(path, argv, env) {
      const [args, vars] = [vector(k, path, argv), vector(k, path, env)];
      const name = k.string("execve", path, path);
      // The strings are no arguments of the call. They go along so that the driver keeps them alive.
      k.call("execve", "execve", path, name, args.pointers, vars.pointers, args.strings, vars.strings);
      return fail("execve", errnoNumber("EINVAL"), path);
    },
    getrlimit(resource, pid = 0) {
      const limit = new Uint8Array(SIZE.rlimit64);
      k.call("prlimit64", "getrlimit", undefined, pid, resource, null, limit);
      return readRlimit(new View(limit));
    },
    setrlimit(resource, limit) {
      k.call("prlimit64", "setrlimit", undefined, 0, resource, packRlimit(limit), null);
    },
    disposition(signal) {
      const action = new Uint8Array(SIZE.sigaction);
      k.call("rt_sigaction", "sigaction", undefined, signal, null, action, SIZE.sigset);
      return readDisposition(new View(action));
    },
    resetSignal(signal) {
      const action = new Uint8Array(SIZE.sigaction);
      k.call("rt_sigaction", "sigaction", undefined, signal, action, null, SIZE.sigset);
    },
    unblockSignals() {
      const none = new Uint8Array(SIZE.sigset);
      k.call("rt_sigprocmask", "sigprocmask", undefined, SIG_SETMASK, none, null, SIZE.sigset);
    },
    uname() {
      const name = new Uint8Array(SIZE.utsname);
      k.call("uname", "uname", undefined, name);
      return readUtsname(new View(name));
    },
    boottime() {
      k.call("clock_gettime", "clock_gettime", undefined, CLOCK_BOOTTIME, time);
      return readTimespec(timeView);
    },
    reboot(action) {
      const command = REBOOT_COMMANDS[action];
      k.call("reboot", "reboot", undefined, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, null);
    },
  } satisfies Partial<Syscalls>;
}

/** Strings as execve(2) takes them: `pointers` into `strings`. */
function vector(k: Kernel, path: string, byteStrings: readonly string[]) {
  if (byteStrings.some((string) => string.includes("\0"))) fail("execve", errnoNumber("EINVAL"), path);
  const strings = toCString(byteStrings.join("\0"));
  let next = k.driver.address(strings);
  const addresses = byteStrings.map((string) => {
    const address = next;
    next += string.length + 1;
    return address;
  });
  return { strings, pointers: packPointers(addresses) };
}
