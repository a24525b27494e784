/**
 * A btrfs on several devices: the kernel is told of each of them, and they are waited for.
 *
 * What `btrfs device scan` and `btrfs device ready` do (btrfs-progs), by the same ioctls of /dev/btrfs-control.
 */

import { SysError, hasAllBtrfsDevices, scanBtrfsDevice } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { hasOption } from "../../storage/option-list.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { Layers } from "../storage/layer.ts";
import { waitForDevices } from "../devices/wait-devices.ts";

/** Where the wait for ever of rd.timeout=0 ends when the filesystem may be mounted without what is missing. */
const degradedWait_ms = 30_000;

/** A filesystem that is wanted. */
export interface BtrfsWish {
  /** One of its devices. */
  readonly device: BlockDevice;
  /** Its mount options. */
  readonly data: string;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
  /** What may still make the other devices. */
  readonly layers: Layers;
}

/**
 * Waits until the kernel knows all devices of the filesystem that `device` belongs to; a filesystem on one device
 * costs nothing. When some are still missing at the deadline, it is mounted all the same if its options say
 * "degraded".
 * @throws UserError when devices are missing and nothing allows to go without them
 */
export async function gatherBtrfs(
  boot: Boot,
  devices: BlockDevices,
  { device, data, timeout_ms, layers }: BtrfsWish,
  loadFilesystem: (type: string) => Promise<void>,
): Promise<void> {
  const { found } = await device.contents();
  const wanted = Number(found?.details?.["num_devices"] ?? 1);
  const uuid = found?.uuid;
  if (found?.type !== "btrfs" || uuid === undefined || wanted <= 1) return;
  await loadFilesystem("btrfs");
  const degraded = hasOption(data, "degraded");
  const told = new Map<string, BlockDevice>();
  const ready = await waitForDevices(boot, devices, layers, {
    what: async () => `the rest of its devices: ${await describeMembers(devices, uuid, wanted)}`,
    look: async () => {
      for (const member of await membersOf(devices, uuid)) {
        if (told.get(member.name) === member) continue;
        told.set(member.name, member);
        tellKernel(boot, member);
      }
      return isReady(boot, device);
    },
    timeout_ms: degraded ? (timeout_ms ?? degradedWait_ms) : timeout_ms,
  });
  if (ready !== undefined) return;
  const have = await describeMembers(devices, uuid, wanted);
  if (!degraded)
    throw new UserError(
      `${capitalized(have)}, and the others did not appear.`,
      'Plug them in, or add "degraded" to its mount options (rootflags=degraded) to start without them.',
    );
  boot.log.warning(`${have}; it is mounted degraded, as its options say.`);
}

/** True when the device is one more of a filesystem whose first device is `device`, not another with the same name. */
export async function isSameBtrfs(device: BlockDevice, other: BlockDevice): Promise<boolean> {
  const [a, b] = [(await device.contents()).found, (await other.contents()).found];
  return a?.type === "btrfs" && b?.type === "btrfs" && a.uuid === b.uuid && a.uuid_sub !== b.uuid_sub;
}

/** How long a look waits for a disk that does not answer; its answer is a change of the devices (blockdevices.ts). */
const patience_ms = 1000;

async function membersOf(devices: BlockDevices, uuid: string): Promise<BlockDevice[]> {
  const all = devices.all();
  const contents = await Promise.all(
    all.map((device) => Promise.race([device.contents(), Bun.sleep(patience_ms)])),
  );
  return all.filter((_, at) => contents[at]?.found?.type === "btrfs" && contents[at]?.found?.uuid === uuid);
}

async function describeMembers(devices: BlockDevices, uuid: string, wanted: number): Promise<string> {
  const members = await membersOf(devices, uuid);
  const names = members.map(({ name }) => text(name)).join(", ");
  return `the btrfs ${text(uuid)} has ${members.length} of its ${wanted} devices (${names})`;
}

function tellKernel({ sys, log }: Boot, { node }: BlockDevice): void {
  try {
    scanBtrfsDevice(sys, node);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    log.warning(`the kernel does not take ${node} as a device of a btrfs: ${describe(error)}.`);
  }
}

// Without the control device, or on a kernel that does not know the question, the mount tells.
function isReady({ sys, log }: Boot, { node }: BlockDevice): true | undefined {
  try {
    return hasAllBtrfsDevices(sys, node) ? true : undefined;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    log.debug(`whether all devices of ${node} are there can't be told: ${describe(error)}`);
    return true;
  }
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
