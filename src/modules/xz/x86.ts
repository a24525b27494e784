/**
 * The BCJ filter for x86 code, undone (filter 0x04 of the .xz format, section 5.3.2).
 *
 * The compressor rewrote the relative targets of CALL and JMP (bytes E8 and E9) as absolute ones,
 * where the target's top byte is 00 or FF. Which bytes it took for instructions depends on those
 * before, so the same walk is done here.
 */

/** Undoes the filter in place; `bytes` is the whole block, whose first byte counts as address 0. */
export function undoX86(bytes: Uint8Array): void {
  // A bit for each of the last three bytes that looked like an instruction without being rewritten.
  let suspects = 0;
  let lastOpcode = -1;
  for (let at = 0; at + 4 < bytes.length; at++) {
    if (((bytes[at] ?? 0) & 0xfe) !== 0xe8) continue;
    const distance = at - lastOpcode;
    suspects = distance > 3 ? 0 : (suspects << (distance - 1)) & 7;
    lastOpcode = at;
    const inDoubt =
      suspects !== 0 && (!PLAUSIBLE.has(suspects) || isSign(bytes[at + 4 - suspectByte(suspects)]));
    if (inDoubt || !isSign(bytes[at + 4])) {
      suspects = (suspects << 1) | 1;
      continue;
    }
    writeTarget(bytes, at + 1, relativeTarget(readTarget(bytes, at + 1), at + 5, suspects));
    at += 4;
  }
}

// The patterns of suspects behind which the compressor still rewrote a target.
const PLAUSIBLE: ReadonlySet<number> = new Set([0, 1, 2, 4]);

/** How many bytes before the target's top byte the nearest suspect's top byte lies. */
function suspectByte(suspects: number): number {
  if (suspects === 1) return 1;
  return suspects < 4 ? 2 : 3;
}

function isSign(byte: number | undefined): boolean {
  return byte === 0x00 || byte === 0xff;
}

function relativeTarget(absolute: number, next: number, suspects: number): number {
  let target = absolute;
  for (;;) {
    const relative = (target - next) | 0;
    const shift = 8 * suspectByte(suspects);
    if (suspects === 0 || !isSign((relative >>> (24 - shift)) & 0xff)) return signed25(relative);
    target = relative ^ (2 ** (32 - shift) - 1);
  }
}

// The top byte only repeats bit 24.
function signed25(value: number): number {
  return (value << 7) >> 7;
}

function readTarget(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function writeTarget(bytes: Uint8Array, at: number, target: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = target >>> (8 * i);
}
