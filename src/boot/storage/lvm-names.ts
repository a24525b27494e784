/**
 * The names that LVM gives its device-mapper devices: VG-LV, with each hyphen within a name doubled.
 *
 * Follows libdm's dm_build_dm_name() and dm_split_lvm_name() (libdm/libdm-string.c), and for volumes that are parts
 * of others build_dm_uuid() (lib/uuid/uuid.c) and the reserved names of lib/metadata/lv_manip.c. Neither a volume
 * group nor a logical volume may have a name that begins with a hyphen, which makes the rule unambiguous.
 */

/** A device-mapper name of LVM, taken apart. */
export interface VolumeName {
  readonly group: string;
  readonly volume: string;
  /** What a device is to the volume when it is a part of it: "real", "cow", "tpool". */
  readonly layer: string | undefined;
}

/** The name of a logical volume below /dev/mapper. */
export function dmName(group: string, volume: string): string {
  return `${doubled(group)}-${doubled(volume)}`;
}

/** Takes a name below /dev/mapper apart; undefined when LVM can't have given it. */
export function splitDmName(name: string): VolumeName | undefined {
  const parts = name.match(/(?:[^-]|--)+/g)?.map((part) => part.replaceAll("--", "-")) ?? [];
  const [group = "", volume = "", layer] = parts;
  const whole = [group, volume, ...(layer === undefined ? [] : [layer])].map(doubled).join("-");
  return whole === name && isName(group) && isName(volume) ? { group, volume, layer } : undefined;
}

/** True for what may name a volume group or a logical volume (lvm(8), VALID NAMES). */
export function isName(name: string): boolean {
  return /^[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]*$/.test(name) && name !== "." && name !== ".." && name.length < 128;
}

/** True when the device belongs to LVM. `dmUuid` is its UUID in device-mapper (dm/uuid in sysfs). */
export function isVolume(dmUuid: string): boolean {
  return dmUuid.startsWith("LVM-");
}

/**
 * True when the device is a part of a logical volume: the leg of a mirror, the pool below thin volumes, the origin
 * below its snapshots. What it holds counts for nothing: a leg of a mirror has the filesystem of the whole on it.
 */
export function isPartOfVolume(name: string, dmUuid: string): boolean {
  if (!isVolume(dmUuid)) return false;
  const parts = splitDmName(name);
  return (
    dmUuid.length > publicUuid_characters || parts?.layer !== undefined || reserved.test(parts?.volume ?? "")
  );
}

// "LVM-", the group's identifier and the volume's; what stands behind them is the part's.
const publicUuid_characters = 4 + 32 + 32;

const reserved =
  /^(?:pvmove|snapshot)|_(?:[cr]data|[cr]meta|corig|cvol|wcorig|iorig|imeta|mimage|mlog|pmspare|rimage|tdata|tmeta|vdata|vorigin)/;

function doubled(name: string): string {
  return name.replaceAll("-", "--");
}
