/** The named points of the boot, where hooks are run and where a person may stop it. */

/** The points, in the order of the boot. Names and meanings are those of dracut.modules(7). */
export const hookPoints = [
  { name: "cmdline", when: "before modules are loaded; /proc, /sys, /dev and /run are there" },
  { name: "pre-trigger", when: "before devices are looked for" },
  { name: "pre-mount", when: "when the root device is there, before it is mounted" },
  {
    name: "mount",
    when: "then; a hook may mount the root on $NEWROOT itself, any root, also one that is no block device",
  },
  { name: "pre-pivot", when: "when the root is mounted" },
  { name: "cleanup", when: "last before the hand-over, when no module is being loaded any more" },
  { name: "emergency", when: "when the boot has failed, before the rescue shell" },
] as const;

export type HookPoint = (typeof hookPoints)[number]["name"];

/** The point of this name; dracut's other points are those next to them here. Undefined when there is none. */
export function pointNamed(name: string): HookPoint | undefined {
  const wanted = name === "pre-udev" || name === "initqueue" ? "pre-trigger" : name;
  return hookPoints.find((point) => point.name === wanted)?.name;
}
