/**
 * Takes the storage of a system that has ended apart: filesystems, swap, and then from the top down what they stood on.
 *
 * Mappings, arrays and loop devices are let go by the kernel's own calls, as systemd-shutdown and dracut's dm-shutdown
 * do it: lvm and cryptsetup would do the same, and mdadm too for arrays that the kernel keeps the records of.
 */

import {
  type Fd,
  LOOP_CLR_FD,
  O_CLOEXEC,
  O_EXCL,
  O_RDONLY,
  STOP_ARRAY,
  SysError,
  type Syscalls,
  removeMapping,
} from "../../syscalls/index.ts";
import type { Log } from "../boot/log.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { Late, attempt } from "./attempt.ts";
import { type Composed, composedDevices, fromTheTop, uppermost } from "./devices.ts";
import { type Obstacle, obstacles } from "./filesystems.ts";

/** What is still there, and the kernel's word on it. */
export interface Left {
  readonly title: string;
  readonly why: string;
}

/**
 * Goes on for as long as something gives way; what may give way is asked anew each time. Returns what did not.
 * @param hopeless titles of what took too long: they are stuck in the kernel and never tried again
 */
export async function takeDown(sys: Syscalls, log: Log, hopeless: Set<string>): Promise<Left[]> {
  for (;;) {
    const refused: Left[] = [];
    let gone = 0;
    // Devices behind filesystems: what was unmounted just now has let go of them.
    for (const layer of [obstacles, devicesAsObstacles]) {
      const tried = layer(sys).filter(({ title }) => !hopeless.has(title));
      for (const obstacle of tried) {
        const why = await remove(log, obstacle, hopeless);
        if (why === undefined) gone += 1;
        else refused.push({ title: obstacle.title, why });
      }
    }
    if (gone === 0) return [...refused, ...covered(sys, refused)];
  }
}

// What was not even tried, as something stands on it that did not go: from the top down too.
function covered(sys: Syscalls, refused: readonly Left[]): Left[] {
  const devices = composedDevices(sys);
  const titles = new Map(devices.map(({ name, title }) => [name, title]));
  return fromTheTop(devices)
    .filter(({ title }) => !refused.some((left) => left.title === title))
    .map(({ title, holders }) => ({
      title,
      why:
        holders.length === 0
          ? "the kernel does not get done with it"
          : `${holders.map((name) => titles.get(name) ?? text(name)).join(" and ")} stands on it`,
    }));
}

async function remove(log: Log, obstacle: Obstacle, hopeless: Set<string>): Promise<string | undefined> {
  const { title, doing, done } = obstacle;
  try {
    await attempt(log, `${doing} ${title}`, obstacle.remove());
    log[obstacle.told](`${done} ${title}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof SysError || error instanceof UserError)) throw error;
    if (error instanceof Late) hopeless.add(title);
    return describe(error);
  }
}

function devicesAsObstacles(sys: Syscalls): Obstacle[] {
  return uppermost(composedDevices(sys)).map((device) => ({
    title: device.title,
    ...WORDS[device.kind],
    told: "info" as const,
    remove: () => REMOVERS[device.kind](sys, device),
  }));
}

const WORDS: Readonly<Record<Composed["kind"], { readonly doing: string; readonly done: string }>> = {
  mapping: { doing: "closing", done: "closed" },
  array: { doing: "stopping", done: "stopped" },
  loop: { doing: "detaching", done: "detached" },
};

type Remover = (sys: Syscalls, device: Composed) => Promise<void>;

const REMOVERS: Readonly<Record<Composed["kind"], Remover>> = {
  mapping: (sys, { rdev }) => removeMapping(sys, rdev),
  // Opened for itself alone: the kernel answers EBUSY while it is mounted (md(4)).
  array: (sys, { name }) =>
    withNode(sys, name, O_EXCL, async (fd) => void (await sys.slow.ioctl(fd, STOP_ARRAY, 0))),
  async loop(sys, device) {
    await withNode(sys, device.name, 0, async (fd) => void (await sys.slow.ioctl(fd, LOOP_CLR_FD, 0)));
    // The kernel says yes to everybody, and detaches when the last user is gone (loop_clr_fd() in loop.c).
    if (composedDevices(sys).some(({ name }) => name === device.name))
      throw new UserError(`${device.title} is still in use`);
  },
};

async function withNode(
  sys: Syscalls,
  name: string,
  flags: number,
  use: (fd: Fd) => Promise<void>,
): Promise<void> {
  // A slash in a device's name is an exclamation mark in sysfs.
  const fd = await sys.slow.open(`/dev/${name.replaceAll("!", "/")}`, O_RDONLY | O_CLOEXEC | flags);
  try {
    await use(fd);
  } finally {
    sys.close(fd);
  }
}
