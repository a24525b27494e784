/**
 * LUKS 1 and 2.
 *
 * Layout: "LUKS1 On-Disk Format Specification" 1.2.3 and "LUKS2 On-Disk Format Specification" 1.1.0
 * (cryptsetup, docs/). LUKS2 keeps its header twice; each copy carries a checksum over the binary
 * header and the JSON behind it.
 *
 * When the first copy is gone or damaged and the second is good, the answer is what the second
 * says, and `damaged` says so: cryptsetup(8) opens such a device, and repairs it. Being damaged, it
 * does not count when anything valid is on the device: second headers survive a mkfs.
 *
 * Details: `header_offset`, where the header stands that was read (LUKS2); `subsystem`, its second label.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { labelField, safeNumber, trimEnd, withZeros } from "./fields.ts";
import type { At, Format, Found } from "./format.ts";

const primary_magic = "LUKS\xba\xbe";
const secondary_magic = "SKUL\xba\xbe";
const binary_bytes = 4096;
const checksum_offset = 0x1c0;
const checksum_bytes = 64;

// The sizes that a LUKS2 header may have, with its JSON. The second copy follows the first.
const header_sizes = [0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000];

// Where the second copy can be seen without reading any more than the first 68 KiB.
const near_offsets = header_sizes.filter((offset) => offset <= 0x10000);

export const luks: Format = {
  name: "crypto_LUKS",
  windows: [
    { offset: 0, length: binary_bytes },
    ...near_offsets.map((offset) => ({ offset, length: binary_bytes })),
  ],
  parse(at) {
    const primary = at(0, 592);
    if (primary === undefined) return undefined;
    if (!primary.has(0, primary_magic)) {
      const found = findSecondary(at, near_offsets);
      return found && { ...found, damaged: `the first LUKS2 header is gone; ${remedy}` };
    }
    const version = primary.u16be(6);
    if (version !== 2) return describe(primary, version);
    const damage = luks2Damage(at, 0);
    if (damage === undefined) return describe(primary, version);
    const second = findSecondary(at, header_sizes);
    if (second !== undefined) return { ...second, damaged: `the first ${damage}; ${remedy}` };
    return { ...describe(primary, version), damaged: `${damage}, and no second header is good` };
  },
};

const remedy = "the second is good, and cryptsetup can open the device with it";

function describe(header: View, version: number): Found {
  const found: Found = { type: "crypto_LUKS", usage: "crypto", version: `${version}` };
  if (version !== 1 && version !== 2) return found;
  const uuid = trimEnd(header.string(0xa8, 40));
  const named = uuid === "" ? found : { ...found, uuid };
  if (version === 1) return named;
  const subsystem = trimEnd(header.string(0xd0, 48));
  return {
    ...named,
    ...labelField(header, 0x18, 48),
    details: {
      header_offset: `${header.u64be(0x100)}`,
      ...(subsystem === "" ? {} : { subsystem }),
    },
  };
}

function findSecondary(at: At, offsets: readonly number[]): Found | undefined {
  for (const offset of offsets) {
    const view = at(offset, 592);
    if (view === undefined || !view.has(0, secondary_magic) || view.u16be(6) !== 2) continue;
    if (luks2Damage(at, offset) === undefined) return describe(view, 2);
  }
  return undefined;
}

// What is wrong with the LUKS2 header at `offset`, or undefined.
function luks2Damage(at: At, offset: number): string | undefined {
  const binary = at(offset, binary_bytes);
  if (binary === undefined) return "LUKS2 header is damaged (the device ends within it)";
  if (binary.u64be(0x100) !== BigInt(offset))
    return `LUKS2 header is damaged (it belongs to offset ${binary.u64be(0x100)})`;
  const size_bytes = safeNumber(binary.u64be(8)) ?? 0;
  if (!header_sizes.includes(size_bytes))
    return `LUKS2 header is damaged (it can't be ${binary.u64be(8)} bytes long)`;
  const algorithm = binary.string(0x48, 32);
  // The one that cryptsetup writes. Another is newer than this program, and left to cryptsetup to check.
  if (algorithm !== "sha256") return undefined;
  const whole = at(offset, size_bytes);
  if (whole === undefined) return "LUKS2 header is damaged (the device ends within its JSON)";
  const covered = withZeros(whole.slice(0, size_bytes), checksum_offset, checksum_bytes);
  const computed = new Bun.CryptoHasher("sha256").update(covered).digest();
  const stored = binary.slice(checksum_offset, computed.length);
  return fromBytes(stored) === fromBytes(computed)
    ? undefined
    : "LUKS2 header is damaged (its SHA-256 checksum does not fit)";
}
