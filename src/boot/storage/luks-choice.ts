/** Chooses which of the encrypted volumes that are there are to be opened now. */

import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import { findDevice } from "../devices/finddevice.ts";
import type { Member } from "./layer.ts";
import type { LuksSettings } from "./luks-settings.ts";
import { type Container, type Wanted, containersForRoot, isWantedBy, makeVolume } from "./luks-volumes.ts";

/** What there is, and what is wanted of it. */
export interface Choice {
  readonly boot: Boot;
  readonly devices: BlockDevices;
  readonly settings: LuksSettings;
  readonly members: readonly Member[];
  /** The volumes that somebody has named. */
  readonly wanted: readonly Wanted[];
  /** What the boot needs, wherever it is; undefined where that is not named. */
  readonly needs: readonly (DeviceRef | undefined)[];
  /** Whether what the boot needs has had its time to appear elsewhere; begins that time. */
  readonly graceIsOver: () => boolean;
}

/** The named volumes that can be found; when none is named, those that may hold what the boot needs. */
export async function chooseVolumes(
  choice: Choice,
): Promise<{ volumes: ReturnType<typeof makeVolume>[]; absent: Wanted[] }> {
  const { members, settings, wanted } = choice;
  const containers = members.map(({ device, found }) => containerOf(device, found.uuid));
  if (wanted.length === 0) {
    const chosen = await forNeeds(choice, containers);
    return { volumes: chosen.map((one) => makeVolume(one, settings, undefined)), absent: [] };
  }
  const absent: Wanted[] = [];
  const volumes: ReturnType<typeof makeVolume>[] = [];
  for (const one of wanted) {
    const own = await containersOf(choice, one, containers);
    if (own.length === 0) absent.push(one);
    volumes.push(...own.map((container) => makeVolume(container, settings, one)));
  }
  return { volumes, absent };
}

async function containersOf(
  { boot, devices }: Choice,
  wanted: Wanted,
  containers: readonly Container[],
): Promise<readonly Container[]> {
  if (wanted.device === undefined) return containers.filter((one) => isWantedBy(wanted, one));
  const found = await findDevice(boot.sys, devices, wanted.device);
  if (found === undefined) return [];
  const { device } = found;
  return [containers.find(({ node }) => node === device.node) ?? containerOf(device, undefined)];
}

async function forNeeds(choice: Choice, containers: readonly Container[]): Promise<readonly Container[]> {
  if (containers.length === 0) return [];
  const chosen = new Set<Container>();
  for (const need of choice.needs) for (const one of await forNeed(choice, containers, need)) chosen.add(one);
  return [...chosen];
}

async function forNeed(
  { boot, devices, members, graceIsOver }: Choice,
  containers: readonly Container[],
  ref: DeviceRef | undefined,
): Promise<readonly Container[]> {
  const found = ref === undefined ? undefined : await findDevice(boot.sys, devices, ref);
  const isMember = members.some(({ device }) => device.node === found?.device.node);
  const chosen = containersForRoot(containers, ref, found !== undefined && !isMember);
  const isOwn = isMember || chosen.length === 0;
  return isOwn || graceIsOver() ? chosen : [];
}

function containerOf({ name, node }: BlockDevice, uuid: string | undefined): Container {
  return { device: name, node, uuid };
}
