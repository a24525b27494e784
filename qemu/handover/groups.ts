/** The hand-over in words of its contract: to which of them each key of the probe's listing belongs. */

import type { Difference } from "../probe.ts";

interface Group {
  readonly name: string;
  readonly keys: RegExp;
}

/** In the contract's order; the first that matches a key has it. */
const GROUPS: readonly Group[] = [
  {
    name: "process 1",
    keys: /^(pid|ppid|uid|gid|groups\.count|threads|self\.(comm|exe)|status\.(Name|State|Ngid|Tgid|Pid|PPid|TracerPid|Uid|Gid|Groups|NStgid|Kthread|Threads))$/,
  },
  { name: "other processes", keys: /^process(es)?\./ },
  { name: "argv", keys: /^(argv\.|(execfn|self\.cmdline)$)/ },
  { name: "environment", keys: /^(environ\.|self\.environ$)/ },
  { name: "file descriptors", keys: /^(fd\.|status\.FDSize$)/ },
  { name: "signals", keys: /^(signals?\.|status\.(Sig|ShdPnd))/ },
  { name: "limits", keys: /^rlimit\./ },
  { name: "cwd, root, umask", keys: /^(cwd\.|root\.|umask$|status\.Umask$|self\.(cwd|root)$)/ },
  { name: "session, terminal", keys: /^(pgid$|sid$|tty|status\.NSsid$)/ },
  {
    name: "nice, rights, namespaces",
    keys: /^(sched\.|prctl\.|personality$|itimer\.|status\.(Cap|NoNewPrivs|Seccomp|Speculation|Cpus|Mems|THP)|self\.|namespace\.)/,
  },
  { name: "secrets in keyrings", keys: /^key(s|ring)?\./ },
  { name: "sockets, locks, IPC", keys: /^(ipc|unix)\./ },
  { name: "/run", keys: /^(mount\.\/run\b|mounted\.run$|dir\.\/run\b)/ },
  { name: "mounts", keys: /^(mount\.|mounts\b|mounted\.|probe\.mount\.|userns$)/ },
  { name: "files of the root, /dev", keys: /^dir\./ },
  { name: "memory", keys: /^(memory\.|sysinfo\.)/ },
  { name: "kernel knobs", keys: /^(sys\.|kernel\.|modules?\.)/ },
  { name: "network", keys: /^(net|route)\./ },
  { name: "time", keys: /^boottime$/ },
];

/** For keys that no group has; a test sees to it that there are none. */
export const NO_GROUP = "anything else";

/** The names of all groups, in the contract's order. */
export const GROUP_NAMES: readonly string[] = [...GROUPS.map(({ name }) => name), NO_GROUP];

/** The group of a key of the listing. */
export function groupOf(key: string): string {
  return GROUPS.find(({ keys }) => keys.test(key))?.name ?? NO_GROUP;
}

/**
 * What a key tells of: all keys of one mount, one descriptor or one folder of /run are one thing, and so is the
 * environment, for a table that counts.
 */
export function thingOf(key: string): string {
  for (const pattern of THINGS) {
    const [thing] = pattern.exec(key) ?? [];
    if (thing !== undefined) return thing;
  }
  return /environ/.test(key) ? "environ" : key;
}

const THINGS: readonly RegExp[] = [
  /^mount\.[^]*(?=\.\w+$)/,
  /^dir\.\/run\/[^/]+/,
  /^(fd\.\d+|argv|module|process\.\d+|net\.\w+|sys\.\w+\/\w+|tty|key)(?=[./])/,
];

/** The differences by thing, things in the order of their first difference. */
export function byThing(differences: readonly Difference[]): ReadonlyMap<string, readonly Difference[]> {
  const things = new Map<string, Difference[]>();
  for (const difference of differences) {
    const thing = thingOf(difference.key);
    things.set(thing, [...(things.get(thing) ?? []), difference]);
  }
  return things;
}

/** How many things of each group differ; groups without one are left out. */
export function countByGroup(differences: readonly Difference[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [{ key } = { key: "" }] of byThing(differences).values())
    counts.set(groupOf(key), (counts.get(groupOf(key)) ?? 0) + 1);
  return counts;
}
