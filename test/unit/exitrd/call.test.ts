import { expect, test } from "bun:test";
import { exitrdAction } from "../../../src/exitrd/call.ts";

test.each([
  [["/shutdown", "poweroff", "--timeout", "90000000us", "--log-level", "6"], "power_off"],
  [["/shutdown", "reboot"], "restart"],
  [["shutdown", "halt"], "halt"],
  [["/shutdown", "kexec"], "kexec"],
  [["/shutdown", "exit", "--exit-code=3"], "power_off"],
  [["/shutdown", "constructor"], "power_off"],
] as const)("%j ends the machine", (argv, action) => {
  expect(exitrdAction(argv)).toBe(action);
});

test.each([
  [[]],
  [["/init"]],
  [["/init", "shutdown", "poweroff"]],
  [["/shutdown"]],
  [["/shutdown", ""]],
  [["/sbin/noshutdown", "poweroff"]],
])("%j is a boot", (argv) => {
  expect(exitrdAction(argv)).toBeUndefined();
});
