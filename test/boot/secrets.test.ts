/** A passphrase that was typed is nowhere in the machine's memory when the real init runs, but in the kernel's terminal. */

import { expect, test } from "bun:test";
import { secretsInMemory } from "../../qemu/handover/secrets.ts";
import { MAKE_MS } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

test(
  "no copy of a passphrase is left that a process could have overwritten",
  async () => {
    const copies = await secretsInMemory(temporaryDirectory());
    // The search finds what is there: the line that the kernel's terminal took last.
    expect(copies.filter(({ inTerminal }) => inTerminal)).toHaveLength(1);
    expect(copies.filter(({ inTerminal }) => !inTerminal)).toEqual([]);
  },
  MAKE_MS,
);
