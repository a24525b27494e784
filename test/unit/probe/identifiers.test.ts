import { describe, expect, test } from "bun:test";
import { crc32, crc32c, inverted } from "../../../src/lib/crc.ts";
import {
  colonUuid,
  dashUuid,
  formatFatSerial,
  formatGuid,
  formatUuid,
  isBlank,
  sameUuid,
} from "../../../src/lib/uuid.ts";
import { labelOf, utf16ToUtf8 } from "../../../src/probe/fields.ts";
import { text, toBytes } from "../../../src/lib/bytes.ts";

const counting = Uint8Array.from({ length: 16 }, (_, index) => index);

describe("UUIDs", () => {
  test("in the order of their bytes", () => {
    expect(formatUuid(counting)).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
  });
  test("as GUIDs, the EFI system partition's for one", () => {
    const efi = Buffer.from("28732ac11ff8d211ba4b00a0c93ec93b", "hex");
    expect(formatGuid(efi)).toBe("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  });
  test("of FAT", () => {
    expect(formatFatSerial(Uint8Array.of(0x34, 0x12, 0xcd, 0xab))).toBe("ABCD-1234");
    expect(formatFatSerial(Uint8Array.of(1, 0, 0, 0))).toBe("0000-0001");
  });
  test("as mdadm spells them, there and back", () => {
    expect(colonUuid("00010203-0405-0607-0809-0A0B0C0D0E0F")).toBe("00010203:04050607:08090a0b:0c0d0e0f");
    expect(dashUuid("00010203:04050607:08090A0B:0c0d0e0f")).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
    expect(colonUuid("ABCD-1234")).toBe("ABCD-1234");
    expect(dashUuid("ABCD-1234")).toBeUndefined();
    expect(dashUuid("")).toBeUndefined();
  });
  test("are the same in any spelling", () => {
    expect(sameUuid("00010203:04050607:08090A0B:0C0D0E0F", formatUuid(counting))).toBe(true);
    expect(sameUuid("abcd-1234", "ABCD-1234")).toBe(true);
    expect(sameUuid("abcd-1234", "abcd-1235")).toBe(false);
    expect(sameUuid("", "")).toBe(false);
    expect(sameUuid("-", ":")).toBe(false);
  });
  test("blank", () => {
    expect([isBlank(new Uint8Array(16)), isBlank(counting)]).toEqual([true, false]);
  });
});

describe("CRCs", () => {
  // The check values of the CRC catalogue: the nine digits.
  const digits = toBytes("123456789");
  test("have their check values", () => {
    expect(inverted(crc32(0xffffffff, digits))).toBe(0xcbf43926);
    expect(inverted(crc32c(0xffffffff, digits))).toBe(0xe3069283);
  });
  test("go on where they stopped", () => {
    for (const crc of [crc32, crc32c]) {
      const first = crc(0xffffffff, digits.subarray(0, 4));
      expect(crc(first, digits.subarray(4))).toBe(crc(0xffffffff, digits));
      expect(crc(0xf2f52010, new Uint8Array())).toBe(0xf2f52010);
    }
  });
});

describe("text", () => {
  test("UTF-16 of both byte orders becomes UTF-8, up to the first NUL", () => {
    const wide = Buffer.from("né☃𝄞\0junk", "utf16le");
    expect(text(utf16ToUtf8(wide, "little"))).toBe("né☃𝄞");
    expect(text(utf16ToUtf8(Buffer.from(wide).swap16(), "big"))).toBe("né☃𝄞");
  });
  test("half a pair keeps its number, half a unit is dropped", () => {
    expect(utf16ToUtf8(Uint8Array.of(0x00, 0xd8, 0x41, 0x00, 0x42), "little")).toBe("\xed\xa0\x80A");
  });
  test("labels lose the white space behind them, and no more", () => {
    expect(labelOf(" a b \t\r\n")).toEqual({ label: " a b" });
    expect(labelOf("a\xa0\x85")).toEqual({ label: "a\xa0\x85" });
    expect(labelOf(" \t ")).toEqual({});
  });
});
