/** The md superblock of version 1 (kernel, include/uapi/linux/raid/md_p.h, struct mdp_superblock_1), little-endian. */

import type { View } from "../lib/bytes.ts";
import { labelField, uuidField, uuidSubField } from "./fields.ts";
import { badChecksum, type At, type Found } from "./format.ts";
import { levelName, md_magic } from "./mdlevel.ts";

const length = 4096;
const roles_offset = 256;
const most_roles = (length - roles_offset) / 2;

/** The superblock at `offset`, where those of `version` ("1.0", "1.1" or "1.2") stand. */
export function md1(at: At, offset: number, version: string): Found | undefined {
  const view = at(offset, length);
  if (view === undefined || view.u32(0) !== md_magic || view.u32(4) !== 1) return undefined;
  // One that names another place was left by an array on another device that includes or is part of this one.
  if (view.u64(144) !== BigInt(offset / 512)) return undefined;
  const damaged = damage(view);
  return {
    type: "linux_raid_member",
    usage: "raid",
    ...uuidField(view, 16),
    ...uuidSubField(view, 168),
    ...labelField(view, 32, 32),
    version,
    details: {
      level: levelName(view.u32(72)),
      raid_disks: `${view.u32(92)}`,
      events: `${view.u64(200)}`,
      ...(damaged === undefined ? rolesOf(view) : {}),
    },
    ...(damaged === undefined ? {} : { damaged }),
  };
}

// A device stands in the table at its own number (`dev_number`, dev_roles[]).
function rolesOf(view: View): { role: string; active: string } {
  const known = Array.from({ length: view.u32(220) }, (_, number) => view.u16(roles_offset + 2 * number));
  const role = known[view.u32(160)] ?? 0xffff;
  const active = known.filter((one) => one < view.u32(92)).sort((a, b) => a - b);
  return { role: otherRoles.get(role) ?? `${role}`, active: active.join(" ") };
}

const otherRoles: ReadonlyMap<number, string> = new Map([
  [0xffff, "spare"],
  [0xfffe, "faulty"],
  [0xfffd, "journal"],
]);

function damage(view: View): string | undefined {
  const roles = view.u32(220);
  if (roles > most_roles) return `md superblock is damaged (it has no room for ${roles} devices)`;
  const stored = view.u32(216);
  const computed = checksum(view, roles_offset + 2 * roles);
  return stored === computed ? undefined : badChecksum("md superblock", stored, computed);
}

// The sum of all 32-bit words (and of 16 bits that may be left), as if the checksum's own were zero.
function checksum(view: View, bytes: number): number {
  let sum = -view.u32(216);
  for (let offset = 0; offset + 4 <= bytes; offset += 4) sum += view.u32(offset);
  if (bytes % 4 === 2) sum += view.u16(bytes - 2);
  return ((sum % 2 ** 32) + Math.floor(sum / 2 ** 32)) >>> 0;
}
