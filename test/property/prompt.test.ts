/** What is typed, what is on the command line and what stands in headers: any of it, and nothing goes wrong. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineEditor, longestAnswer_bytes } from "../../src/boot/prompt/line.ts";
import { isShown } from "../../src/boot/prompt/log-watch.ts";
import { parseLuksHeader } from "../../src/boot/storage/luks-header.ts";
import { readVolumeOptions } from "../../src/boot/storage/luks-options.ts";
import { isMapperName, readLuksSettings } from "../../src/boot/storage/luks-settings.ts";
import { makeVolume, planWanted } from "../../src/boot/storage/luks-volumes.ts";
import { parseCrypttab } from "../../src/storage/crypttab.ts";
import { LUKS_UUID, luks1 } from "../fixtures/luks-headers.ts";

const keys = new Set([0x03, 0x04, 0x08, 0x0a, 0x0d, 0x15, 0x7f]);
const bytes = fc.uint8Array({ maxLength: 600 });
const byteString = bytes.map((some) => Buffer.from(some).toString("latin1"));

test("an answer is what was typed, byte for byte, or refused when it is too long", () => {
  const letters = bytes.map((some) => some.filter((byte) => !keys.has(byte)));
  fc.assert(
    fc.property(letters, letters, (before, answer) => {
      const line = new LineEditor();
      for (const byte of before) line.type(byte);
      expect(line.type(0x15)).toBeUndefined();
      expect(line.bytes).toHaveLength(0);
      for (const byte of answer) expect(line.type(byte)).toBeUndefined();
      const fits = answer.length <= longestAnswer_bytes;
      expect(line.type(0x0d)).toBe(fits ? "done" : "too long");
      expect(Buffer.from(line.bytes)).toEqual(Buffer.from(fits ? answer : []));
      line.erase();
      expect(line.bytes).toHaveLength(0);
    }),
  );
});

test("backspace takes a character of UTF-8", () => {
  const character = fc.string({ unit: "binary", minLength: 1, maxLength: 1 });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 50 }), character, (start, last) => {
      fc.pre(!Buffer.from(`${start}${last}`).some((byte) => keys.has(byte)));
      const line = new LineEditor();
      for (const byte of Buffer.from(`${start}${last}`)) line.type(byte);
      line.type(0x7f);
      expect(Buffer.from(line.bytes).toString()).toBe(start);
    }),
  );
});

test("any keys leave a line that fits", () => {
  fc.assert(
    fc.property(bytes, (typed) => {
      const line = new LineEditor();
      for (const byte of typed) line.type(byte);
      expect(line.bytes.length).toBeLessThanOrEqual(longestAnswer_bytes);
    }),
  );
});

test("any record of the log is shown or not", () => {
  fc.assert(
    fc.property(byteString, fc.integer(), (record, level) => typeof isShown(record, level) === "boolean"),
  );
  expect([
    isShown("6,1,2,-;x", 7),
    isShown("6,1,2,-;x", 4),
    isShown("13,1,2,-;x", 4),
    isShown("x", 7),
  ]).toEqual([true, false, true, false]);
});

test("any bytes are a LUKS header or none", () => {
  const header = luks1();
  fc.assert(
    fc.property(bytes, fc.nat(4095), bytes, (some, at, json) => {
      const damaged = Uint8Array.from(header);
      damaged.set(some.subarray(0, Math.min(some.length, damaged.length - at)), at);
      for (const binary of [some, damaged, damaged.subarray(0, at)]) {
        const found = parseLuksHeader(binary, json);
        for (const alias of found?.modules ?? [])
          expect(alias).toMatch(/^(?:crypto-[a-z0-9-]+|dm_integrity)$/);
      }
    }),
  );
});

test("any JSON is the rest of a LUKS 2 header", () => {
  const header = luks1();
  header[7] = 2;
  fc.assert(
    fc.property(
      fc.json(),
      fc.dictionary(fc.constantFrom("keyslots", "segments", "tokens", "digests"), fc.jsonValue()),
      (json, parts) => {
        for (const text of [json, JSON.stringify(parts)]) {
          const found = parseLuksHeader(header, Buffer.from(text));
          expect(found?.version).toBe(2);
          expect(found?.memory_kib).toBeGreaterThanOrEqual(0);
        }
      },
    ),
  );
});

test("any parameters, crypttab and options make volumes with names", () => {
  const names = ["luks", "uuid", "name", "options", "key", "header", "data", "timeout", "crypttab"];
  const word = fc.record({
    name: fc.constantFrom(...names.map((name) => (name === "luks" ? "rd.luks" : `rd.luks.${name}`))),
    value: fc.option(
      fc.oneof(
        byteString,
        byteString.map((value) => `${LUKS_UUID}=${value}`),
      ),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), byteString, byteString, (words, crypttab, options) => {
      const { settings } = readLuksSettings(words);
      const { wanted } = planWanted(settings, parseCrypttab(crypttab).entries);
      const container = { device: "vda", node: "/dev/vda", uuid: LUKS_UUID };
      for (const one of [undefined, ...wanted])
        expect(isMapperName(makeVolume(container, settings, one).volume.name)).toBe(true);
      expect(readVolumeOptions(options, "a").options.tries).toBeGreaterThanOrEqual(0);
    }),
  );
});
