/** `rdinit list`: what is in an image. */

import { openImage, type Archive } from "../image/archive.ts";
import { text, toBytes } from "../lib/bytes.ts";
import { localAccounts, NUMBERS } from "./accounts.ts";
import type { Call, Command } from "./command.ts";
import { listLine } from "./listing.ts";

export const listCommand: Command = {
  name: "list",
  operands: "IMAGE",
  operandCount: [1, 1],
  summary:
    "lists what is in an initramfs, as 'cpio -itv' does, but of any compression and of all archives that lie one " +
    "behind the other",
  options: [
    { name: "numeric", short: "n", meaning: "show users and groups as numbers" },
    {
      name: "segments",
      meaning:
        "show instead where each archive or compressed part begins, how large it is, and how it is packed",
    },
  ],
  run: runList,
};

async function runList(call: Call): Promise<number> {
  const archive = openImage(call.operands[0] ?? "");
  const lines = call.has("segments") ? segmentLines(archive) : memberLines(archive, call.has("numeric"));
  const { terminal } = call;
  if (terminal.direct === true) terminal.out(lines.map((line) => `${text(line)}\n`).join(""));
  else terminal.out(toBytes(lines.map((line) => `${line}\n`).join("")));
  if (archive.damage) throw archive.damage;
  return 0;
}

function memberLines({ segments }: Archive, isNumeric: boolean): string[] {
  const accounts = isNumeric ? { accounts: NUMBERS, accountWidth: Infinity } : { accounts: localAccounts() };
  const listing = { ...accounts, now: Math.floor(Date.now() / 1000) };
  return segments.flatMap(({ members }) => members.map((member) => listLine(member, listing)));
}

function segmentLines({ segments }: Archive): string[] {
  const rows = segments.map(({ offset, size, unpackedSize, members, compression, early }) => [
    offset,
    size,
    unpackedSize,
    members.length,
    early ? `${compression}, read early` : compression,
  ]);
  return [["offset", "size", "unpacked", "entries", "compression"], ...rows].map((row) =>
    row
      .map((cell, column) => (column === 4 ? ` ${cell}` : String(cell).padStart(WIDTHS[column] ?? 0)))
      .join(" "),
  );
}

const WIDTHS = [12, 12, 12, 8];
