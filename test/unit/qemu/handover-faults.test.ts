import { expect, test } from "bun:test";
import { faultsOf, stepsOf } from "../../../qemu/handover/faults.ts";

const CALLS = [
  "read(anon_inode:[eventfd])",
  'statx(cwd, "/", 0)',
  'openat(cwd, "/proc/self/mountinfo", 80000)',
  "waitid(0, 0, 1000005)",
  'openat(cwd, "/proc/self/mountinfo", 80000)',
  'mount("/proc", "/sysroot/proc", 2000)',
  'pivot_root(".", ".")',
  'chroot(".")',
  'openat(cwd, "/dev/console", 102)',
  'execve("/sbin/init")',
  "close(9)",
];

test("the calls that were told are the steps of the hand-over", () => {
  const lines = ["hand-over 1 begins", ...CALLS.map((call) => `call ${call}`), "early userspace: 3 names"];
  const steps = stepsOf(lines);
  expect(steps.map(({ phase, times }) => `${phase} ${times}`)).toEqual([
    "checks 1",
    "checks 1",
    "processes 1",
    "moves 2",
    "moves 1",
    "leaving 1",
    "leaving 1",
    "start 1",
    "start 1",
  ]);
  expect(steps.map(({ call }) => call)).toEqual(CALLS.slice(1, -1));
  expect(faultsOf(steps.filter(({ call }) => call.startsWith("chroot")))).toEqual([
    { call: 'chroot(".")', times: 1, code: "EIO" },
    { call: 'chroot(".")', times: 1, code: "ENOMEM" },
    { call: 'chroot(".")', times: 1, code: "EPERM" },
  ]);
});

test("a record that breaks off is refused", () => {
  const lines = CALLS.slice(0, 6).map((call) => `call ${call}`);
  expect(() => stepsOf(lines)).toThrow("no call 'pivot_root('");
});
