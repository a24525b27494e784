/**
 * What a physical volume says of its volume group.
 *
 * Layout: LVM2, lib/format_text/layout.h (struct pv_header, struct mda_header) and lib/label/label.h. A metadata area
 * begins with a header that says where in the rest, used as a ring, the text lies that counts. A physical volume may
 * have two such areas, or none: then the others of its group know of it.
 */

import { View, fromBytes } from "../../lib/bytes.ts";
import { crc32 } from "../../lib/crc.ts";
import { isBlank } from "../../lib/uuid.ts";
import type { Reader } from "../../probe/format.ts";
import { type VolumeGroup, parseGroup } from "./lvm-group.ts";

/** What is on one physical volume. */
export interface PhysicalVolumeContents {
  /** The newest copy of the metadata of its group; undefined when it has none that can be read. */
  readonly group: VolumeGroup | undefined;
  /** What is wrong with a copy, as a clause: "the metadata at 4096 has a wrong checksum". */
  readonly problem: string | undefined;
}

/** Reads the metadata of a physical volume. Rejects only when `read` does. */
export async function readPhysicalVolume(read: Reader): Promise<PhysicalVolumeContents> {
  const areas = findAreas(await read(0, label_sectors * sector_bytes));
  let newest: VolumeGroup | undefined;
  let problem: string | undefined;
  for (const area of areas) {
    const group = await readArea(read, area);
    if (typeof group === "string") problem ??= `the metadata at ${area.offset} ${group}`;
    else if (group !== undefined && group.sequence > (newest?.sequence ?? -1)) newest = group;
  }
  return { group: newest, problem };
}

const label_sectors = 4;
const sector_bytes = 512;
const header_bytes = 512;
/** The register of all of LVM's checksums (INITIAL_CRC in lib/misc/crc.h). */
const first_register = 0xf597a6cf;
const areaMagic = " LVM2 x[5A%r0N*>";
const ignored = 1;
// vgcreate's default is one mebibyte, of which a group uses a part.
const largest_bytes = 64 * 1024 * 1024;
// Two is the most that pvcreate makes.
const mostAreas = 16;

interface Area {
  readonly offset: number;
  readonly size: number;
}

function findAreas(bytes: Uint8Array): Area[] {
  for (let sector = 0; sector < label_sectors; sector++) {
    if (bytes.length < (sector + 1) * sector_bytes) return [];
    const label = new View(bytes.subarray(sector * sector_bytes, (sector + 1) * sector_bytes));
    if (label.has(0, "LABELONE") && label.has(24, "LVM2 001") && label.u64(8) === BigInt(sector))
      return listAreas(label);
  }
  return [];
}

// Behind the identifier and the size stand the data areas, and behind an empty entry those of the metadata.
function listAreas(label: View): Area[] {
  const areas: Area[] = [];
  let lists = 0;
  for (let at = label.u32(20) + 40; at + 16 <= label.length && lists < 2; at += 16) {
    const offset = Number(label.u64(at));
    const size = Number(label.u64(at + 8));
    if (offset === 0) lists++;
    else if (lists === 1 && areas.length < mostAreas) areas.push({ offset, size });
  }
  return areas;
}

// The group, nothing when none has been written, or what is wrong.
async function readArea(read: Reader, area: Area): Promise<VolumeGroup | string | undefined> {
  if (!Number.isSafeInteger(area.offset + area.size)) return "lies outside of any disk";
  const bytes = await read(area.offset, header_bytes);
  if (bytes.length < header_bytes) return "lies behind the end of the device";
  const header = new View(bytes);
  if (isBlank(bytes)) return undefined;
  if (!header.has(4, areaMagic)) return "has no header";
  if (header.u32(0) !== crc32(first_register, bytes.subarray(4))) return "has a header with a wrong checksum";
  const offset = Number(header.u64(40));
  const size = Number(header.u64(48));
  // The first of the locations is the one that counts; the second is that of a change which was under way.
  if (offset === 0 || size === 0 || (header.u32(60) & ignored) !== 0) return undefined;
  if (size > largest_bytes) return `says that it is ${size} bytes long`;
  if (offset < header_bytes || offset >= area.size || size > area.size - header_bytes)
    return "lies outside of its area";
  const text = await readRing(read, area, offset, size);
  if (text.length < size) return "lies behind the end of the device";
  if (header.u32(56) !== crc32(first_register, text)) return "has a wrong checksum";
  const group = parseGroup(fromBytes(text));
  return typeof group === "string" ? `can't be read: ${group}` : group;
}

async function readRing(read: Reader, area: Area, offset: number, size: number): Promise<Uint8Array> {
  const straight = Math.min(size, area.size - offset);
  const first = await read(area.offset + offset, straight);
  if (straight === size || first.length < straight) return first;
  const rest = await read(area.offset + header_bytes, size - straight);
  return Uint8Array.from([...first, ...rest]);
}
