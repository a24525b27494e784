/**
 * The parameters of the command line that the boot as a whole reads, a row each. Those of its parts stand with them
 * (subsystems.ts).
 *
 * Names and meanings are those of bootparam(7), the kernel's kernel-parameters.txt and
 * dracut.cmdline(7).
 */

import type { RebootAction } from "../../../syscalls/index.ts";
import { readSeconds } from "../../lib/seconds.ts";
import type { Options } from "../context.ts";
import { withoutLive } from "../live/overlay-words.ts";
import { pointNamed } from "../points.ts";
import { meaningForUs } from "../handover/oldroot.ts";
import { switchValue } from "./switch-word.ts";

/** One parameter: how the table below describes it, for the code and for `rdinit --help`. */
export interface Parameter {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Returns the options it sets, or a sentence about what is wrong with the value. */
  readonly read: (value: string | undefined, options: Options) => Partial<Options> | string;
}

const ownParameters: readonly Parameter[] = [
  {
    name: "root",
    usage: "root=DEVICE",
    meaning:
      "the root filesystem: a path, LABEL=, UUID=, PARTUUID= (with /PARTNROFF=), PARTLABEL=, MAJOR:MINOR, " +
      "or a link below /dev/disk",
    read: withValue((value) => ({ root: withoutLive(value) })),
  },
  {
    name: "rootfstype",
    usage: "rootfstype=TYPE[,TYPE]",
    meaning: "mount it as one of these types instead of what its superblock says",
    read: withValue((value) => ({ rootTypes: typesOf(value) })),
  },
  {
    name: "rootflags",
    usage: "rootflags=OPTIONS",
    meaning: "mount options for the root, as in fstab(5)",
    read: withValue((value) => ({ rootFlags: value })),
  },
  {
    name: "ro",
    usage: "ro",
    meaning: "mount the root read-only (the default)",
    read: () => ({ readOnly: true }),
  },
  { name: "rw", usage: "rw", meaning: "mount the root read-write", read: () => ({ readOnly: false }) },
  {
    name: "rootwait",
    usage: "rootwait[=SECONDS]",
    meaning: "wait for the root device for ever, or so long",
    read: (value) =>
      value === undefined ? { deviceTimeout_ms: undefined } : readTimeout("deviceTimeout_ms")(value),
  },
  {
    name: "rootdelay",
    usage: "rootdelay=SECONDS",
    meaning: "pause before the root is looked for",
    read: withValue((value) => {
      const delay_ms = readSeconds(value);
      return typeof delay_ms === "string" ? delay_ms : { rootDelay_ms: delay_ms };
    }),
  },
  {
    name: "rd.timeout",
    usage: "rd.timeout=SECONDS",
    meaning: "how long to wait for a device (default 30; 0 waits for ever)",
    read: withValue(readTimeout("deviceTimeout_ms")),
  },
  {
    name: "rd.retry",
    usage: "rd.retry=SECONDS",
    meaning: "the same as rd.timeout=, by the name that counts for it in dracut",
    read: withValue(readTimeout("deviceTimeout_ms")),
  },
  {
    name: "rd.hook.timeout",
    usage: "rd.hook.timeout=SECONDS",
    meaning: "how long a hook may take before it is ended (default 90; 0 lets it take for ever)",
    read: withValue(readTimeout("hookTimeout_ms")),
  },
  {
    name: "init",
    usage: "init=PATH",
    meaning: "the program to hand over to (default: /sbin/init, /etc/init, /bin/init, /bin/sh)",
    read: withValue((value) => ({ init: value })),
  },
  {
    name: "quiet",
    usage: "quiet",
    meaning: "say only what goes wrong, and long waits",
    read: () => ({ quiet: true }),
  },
  {
    name: "rd.info",
    usage: "rd.info[=0|1]",
    meaning: "show each step although quiet is said",
    read: readSwitch("info"),
  },
  { name: "debug", usage: "debug", meaning: "say everything", read: () => ({ debug: true }) },
  {
    name: "rd.debug",
    usage: "rd.debug[=0|1]",
    meaning: "say everything, and log every system call",
    read: readSwitch("debug", "trace"),
  },
  {
    name: "rd.shell",
    usage: "rd.shell=0|1",
    meaning:
      "whether a rescue shell may be started when the boot fails (default 1, but 0 when nobody gave the right passphrase)",
    read: readSwitch("shell"),
  },
  {
    name: "rd.break",
    usage: "rd.break[=POINT]",
    meaning:
      "start a shell at this point of the boot, one of those for hooks (default cleanup, the last); may be given often",
    read: (value = "cleanup", { breakAt }) => {
      const point = pointNamed(value);
      return point === undefined || point === "emergency"
        ? "the boot has no such point."
        : { breakAt: [...new Set([...breakAt, point])] };
    },
  },
  {
    name: "rd.emergency",
    usage: "rd.emergency=reboot|poweroff|halt",
    meaning: "what to do when the boot fails and no shell is started, in place of what panic= says",
    read: withValue((value) => {
      const action = Object.hasOwn(EMERGENCIES, value) ? EMERGENCIES[value] : undefined;
      return action === undefined ? "it is none of these." : { emergency: action };
    }),
  },
];

const EMERGENCIES: Readonly<Record<string, RebootAction>> = {
  reboot: "restart",
  poweroff: "power_off",
  halt: "halt",
};

/** Every parameter that rdinit reads, in the order of the manual. */
export const parameters: readonly Parameter[] = [
  ...ownParameters,
  ...ownParameters.flatMap(({ name, usage, read }) => {
    const meaning = meaningForUs(name);
    return meaning === undefined ? [] : [{ name: `rd.${name}`, usage: `rd.${usage}`, meaning, read }];
  }),
];

/** Parameters that other code reads straight from the words (src/modules), besides MODULE.PARAMETER. */
export const otherParameters: readonly string[] = [
  "rd.driver.blacklist",
  "rd.driver.pre",
  "rd.driver.post",
  "module_blacklist",
];

// As for mount(8), "auto" leaves it to the superblock.
function typesOf(list: string): string[] {
  const types = list.split(",").filter((type) => type !== "");
  return types.includes("auto") ? [] : types;
}

function withValue(read: (value: string) => Partial<Options> | string): Parameter["read"] {
  return (value) => (value === undefined || value === "" ? "it needs a value." : read(value));
}

function readSwitch(...options: readonly ("debug" | "info" | "trace" | "shell")[]): Parameter["read"] {
  const all = (value: boolean): Partial<Options> =>
    Object.fromEntries(options.map((option) => [option, value]));
  return (value) => {
    const on = value === undefined || switchValue(value);
    return on === undefined ? "it is neither 0 nor 1." : all(on);
  };
}

function readTimeout(
  option: "deviceTimeout_ms" | "hookTimeout_ms",
): (value: string) => Partial<Options> | string {
  return (value) => {
    const timeout_ms = readSeconds(value);
    if (typeof timeout_ms === "string") return timeout_ms;
    return { [option]: timeout_ms === 0 ? undefined : timeout_ms };
  };
}
