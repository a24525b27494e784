/**
 * LVM2 physical volumes: a label in one of the first four sectors.
 *
 * Layout: LVM2, lib/label/label.h (struct label_header) and lib/format_text/layout.h (struct
 * pv_header). `uuid` is the physical volume's, hyphens where pvs(8) puts them.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { crc32 } from "../lib/crc.ts";
import { isBlank } from "../lib/uuid.ts";
import { badChecksum, tiny_bytes, type Format, type Found } from "./format.ts";

const sector_bytes = 512;
const sectors = 4;
const first_register = 0xf597a6cf;
const checked_from = 20;

export const lvm: Format = {
  name: "LVM2_member",
  windows: [{ offset: 0, length: sectors * sector_bytes }],
  minimum_bytes: tiny_bytes + 1,
  parse(at) {
    let damaged: Found | undefined;
    for (let sector = 0; sector < sectors; sector++) {
      const view = at(sector * sector_bytes, sector_bytes);
      const found = view && parseLabel(view, sector);
      if (found?.damaged === undefined && found !== undefined) return found;
      damaged ??= found;
    }
    return damaged;
  },
};

function parseLabel(view: View, sector: number): Found | undefined {
  if (!view.has(0, "LABELONE") || !view.has(24, "LVM2 001")) return undefined;
  // A label that names another sector was copied here, with the image of a disk for instance.
  if (view.u64(8) !== BigInt(sector)) return undefined;
  const id = view.slice(32, 32);
  const stored = view.u32(16);
  const computed = crc32(first_register, view.slice(checked_from, sector_bytes - checked_from));
  return {
    type: "LVM2_member",
    usage: "raid",
    ...(isBlank(id) ? {} : { uuid: hyphenated(fromBytes(id)) }),
    version: "LVM2 001",
    ...(stored === computed ? {} : { damaged: badChecksum("LVM2 label", stored, computed) }),
  };
}

// Groups of 6, 4, 4, 4, 4, 4 and 6 characters.
function hyphenated(id: string): string {
  return id.replace(/^([^]{6})([^]{4})([^]{4})([^]{4})([^]{4})([^]{4})([^]{6})$/, "$1-$2-$3-$4-$5-$6-$7");
}
