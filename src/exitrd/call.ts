/** How an exitrd is called: `/shutdown VERB [options of systemd-shutdown]` (systemd's INITRD_INTERFACE.md). */

import type { LastAction } from "../../syscalls/index.ts";

/**
 * What the machine is to do in the end, when these are the words that process 1 was started with and they make it an
 * exitrd; undefined for an early userspace. systemd's "exit" powers off where there is no container to leave, and so
 * does a verb that nobody knows: what is asked for is the end in any case.
 */
export function exitrdAction(argv: readonly string[]): LastAction | undefined {
  const [program = "", verb = ""] = argv;
  // The kernel alone gives no verb: a /shutdown that it starts by rdinit= boots.
  if (!/(^|\/)shutdown$/.test(program) || verb === "") return undefined;
  return (Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined) ?? "power_off";
}

const ACTIONS: Readonly<Record<string, LastAction>> = {
  poweroff: "power_off",
  reboot: "restart",
  halt: "halt",
  kexec: "kexec",
  exit: "power_off",
};
