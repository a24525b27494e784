/** Which encrypted volumes are opened, and how each is: chosen from what the command line and crypttab say. */

import { text } from "../../lib/bytes.ts";
import { dashUuid, sameUuid } from "../../lib/uuid.ts";
import { type CrypttabEntry, type KeyPlace, isRandomKey } from "../../storage/crypttab.ts";
import { type DeviceRef, describeRef, parseDeviceRef } from "../devices/deviceref.ts";
import { type VolumeOptions, readVolumeOptions } from "./luks-options.ts";
import {
  type LuksSettings,
  hasPrefix,
  isMapperName,
  ownSettingFor,
  readUuid,
  settingFor,
} from "./luks-settings.ts";

/** A volume to be opened, wherever it is. */
export interface Wanted {
  /** The beginning of its UUID, digits. It names the volume when no device does. */
  readonly uuid: string | undefined;
  readonly device: DeviceRef | undefined;
  /** Its line in crypttab. */
  readonly entry: CrypttabEntry | undefined;
  /** Its options say nofail. */
  readonly mayFail: boolean;
}

/** An encrypted device that is there. */
export interface Container {
  /** The kernel's name: "vda2". */
  readonly device: string;
  readonly node: string;
  /** Undefined when its header is elsewhere. */
  readonly uuid: string | undefined;
}

/** A volume that can be opened now. */
export interface Volume extends Container {
  /** What it becomes below /dev/mapper. */
  readonly name: string;
  readonly key: KeyPlace | undefined;
  readonly header: KeyPlace | undefined;
  readonly options: VolumeOptions;
}

/** The volumes that somebody has named; complaints are sentences. */
export function planWanted(
  settings: LuksSettings,
  crypttab: readonly CrypttabEntry[],
): { wanted: Wanted[]; complaints: string[] } {
  const complaints: string[] = [];
  const entries = crypttab.flatMap((entry): Wanted[] => {
    const device = parseDeviceRef(entry.device);
    const options = readVolumeOptions(entry.options, entry.name).options;
    if (options.later) return [];
    const obstacle = typeof device === "string" ? device.replace(/\.$/, "") : obstacleOf(entry, options);
    if (obstacle !== undefined)
      complaints.push(`${text(entry.name)} of crypttab is not opened: ${obstacle}.`);
    if (obstacle !== undefined || typeof device === "string") return [];
    const { mayFail } = options;
    const byUuid = device.kind === "tag" && device.tag === "UUID";
    return byUuid
      ? [{ uuid: readUuid(device.value), device: undefined, entry, mayFail }]
      : [{ uuid: undefined, device, entry, mayFail }];
  });
  if (settings.uuids.length === 0) return { wanted: entries, complaints };
  const named = [...new Set(settings.uuids)].map((uuid): Wanted => {
    const entry = entries.find((one) => one.uuid?.startsWith(uuid) === true)?.entry;
    const data = ownSettingFor(settings.data, uuid);
    const device = data === undefined ? undefined : parseDeviceRef(data);
    if (typeof device === "string") complaints.push(`rd.luks.data= makes no sense: ${device}`);
    const { mayFail } = readVolumeOptions(listFor(settings, uuid, entry) ?? "", uuid).options;
    return { uuid, device: typeof device === "object" ? device : undefined, entry, mayFail };
  });
  return { wanted: named, complaints };
}

/** The wanted volume that a container with this UUID is, when it is named by its UUID. */
export function isWantedBy(wanted: Wanted, { uuid }: Container): boolean {
  if (wanted.device !== undefined || wanted.uuid === undefined) return false;
  return uuid !== undefined && hasPrefix(uuid, wanted.uuid);
}

/**
 * Of the containers, when nobody has named any: the one that `root=` itself names, or all of them when the root is
 * not there otherwise.
 */
export function containersForRoot(
  containers: readonly Container[],
  root: DeviceRef | undefined,
  rootIsElsewhere: boolean,
): readonly Container[] {
  const own = containers.filter((container) => root !== undefined && isNamedBy(container, root));
  if (own.length > 0) return own;
  return rootIsElsewhere ? [] : containers;
}

/** What becomes of a container: its name, key and options. Complaints are sentences. */
export function makeVolume(
  container: Container,
  settings: LuksSettings,
  wanted: Wanted | undefined,
): { volume: Volume; complaints: string[] } {
  const { entry } = wanted ?? {};
  const digits = wanted?.uuid ?? "";
  const uuid = container.uuid ?? dashUuid(digits) ?? digits;
  const list = listFor(settings, uuid, entry);
  const own = ownSettingFor(settings.names, uuid) ?? entry?.name;
  const usual = `luks-${uuid === "" ? container.device : uuid}`;
  const name = own ?? usual;
  const discards = settingFor(settings.discards, uuid) === true ? ",discard" : "";
  const { options, complaints } = readVolumeOptions(`${list ?? ""}${discards}`, name);
  return {
    volume: {
      ...container,
      name: isMapperName(name) ? name : usual,
      key: ownSettingFor(settings.keys, uuid) ?? entry?.key ?? settingFor(settings.keys, uuid),
      header: ownSettingFor(settings.headers, uuid) ?? options.header ?? headerFor(settings, container),
      options,
    },
    complaints,
  };
}

/** A wanted volume that is not there, for people. */
export function describeWanted({ uuid = "", device, entry }: Wanted): string {
  const name = entry === undefined ? "" : ` (${text(entry.name)})`;
  return `${device === undefined ? `LUKS ${dashUuid(uuid) ?? uuid}` : describeRef(device)}${name}`;
}

function listFor(
  { options }: LuksSettings,
  uuid: string,
  entry: CrypttabEntry | undefined,
): string | undefined {
  return ownSettingFor(options, uuid) ?? entry?.options ?? settingFor(options, uuid);
}

function obstacleOf({ key }: CrypttabEntry, { obstacle }: VolumeOptions): string | undefined {
  if (isRandomKey(key)) return "it gets a new key at every boot, which is for the real system to do";
  return obstacle;
}

// A header for all is for those that have none of their own.
function headerFor(settings: LuksSettings, { uuid }: Container): KeyPlace | undefined {
  return uuid === undefined ? settingFor(settings.headers, "") : undefined;
}

function isNamedBy({ node, uuid }: Container, root: DeviceRef): boolean {
  if (root.kind === "path") return node === `/dev/${root.name}`;
  return root.kind === "tag" && root.tag === "UUID" && uuid !== undefined && sameUuid(uuid, root.value);
}
