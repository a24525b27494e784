/** A file of a mounted filesystem as a block device of the boot. */

import { type Fd, O_CLOEXEC, O_RDONLY, O_RDWR, attachLoop, exists } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import { sayIfSlow } from "../wait.ts";

/** What steps of the boot that need drivers of their own work with. */
export interface Drivers {
  readonly boot: Boot;
  readonly devices: BlockDevices;
  /** Loads modules by name or alias; those that are not there or are built in are passed over. */
  readonly loadModules: (names: readonly string[]) => Promise<void>;
}

/**
 * Shows a file by a loop device while `use` works; afterwards the device stays for as long as it is mounted.
 * @param title the file to people, for sentences
 * @throws UserError, or what `use` throws
 */
export async function withLoop<T>(
  drivers: Drivers,
  path: string,
  how: { readonly title: string; readonly readOnly: boolean },
  use: (device: BlockDevice) => Promise<T>,
): Promise<T> {
  const loop = await openLoop(drivers, path, how);
  try {
    return await use(loop.device);
  } catch (error) {
    throw explain(error, path, how.title);
  } finally {
    loop.close();
  }
}

/**
 * Shows a file by a loop device until `close`, which the hand-over does for who does not, and for as long as it is mounted.
 * @param title the file to people, for sentences
 * @throws UserError
 */
export async function openLoop(
  { boot, devices, loadModules }: Drivers,
  path: string,
  { title, readOnly }: { readonly title: string; readonly readOnly: boolean },
): Promise<{ readonly device: BlockDevice; close(): void }> {
  const { sys } = boot;
  await loadModules(["loop"]);
  if (!exists(sys, "/dev/loop-control"))
    throw new UserError(
      `${title} can't be used: the kernel has no loop devices, and the image holds no module for them.`,
      "Build the image with --generic or with --drivers loop, or the kernel with CONFIG_BLK_DEV_LOOP.",
    );
  const open: Fd[] = [];
  const close = (): void => {
    for (const fd of open.splice(0)) sys.close(fd);
  };
  try {
    const opening = sys.slow.open(path, (readOnly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    const file = await sayIfSlow(boot, `${title} is being opened; it does not answer yet`, opening);
    open.push(file);
    const loop = attachLoop(sys, file, { readOnly, name: path });
    open.unshift(loop.fd);
    const name = `loop${loop.number}`;
    // The kernel's own event may not have been read yet.
    devices.handle({
      action: "change",
      devpath: `/devices/virtual/block/${name}`,
      values: new Map([["SUBSYSTEM", "block"]]),
    });
    const device = devices.get(name);
    if (device === undefined)
      throw new UserError(
        `${title} can't be used: it is empty, or /sys/class/block/${name} does not tell of it.`,
      );
    boot.log.debug(`${title} is /dev/${name}`);
    return { device, close };
  } catch (error) {
    close();
    throw explain(error, path, title);
  }
}

function explain(error: unknown, path: string, title: string): UserError {
  return error instanceof UserError
    ? error
    : new UserError(`${title} (${text(path)}) can't be shown by a loop device: ${describe(error)}.`);
}
