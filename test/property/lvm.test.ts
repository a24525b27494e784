/** What LVM's names and metadata may hold by chance or by damage. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../src/boot/cmdline/cmdline.ts";
import { parseGroup } from "../../src/boot/storage/lvm-group.ts";
import { readPhysicalVolume } from "../../src/boot/storage/lvm-metadata.ts";
import { dmName, isName, splitDmName } from "../../src/boot/storage/lvm-names.ts";
import { lvmParameters, readLvmSettings } from "../../src/boot/storage/lvm-settings.ts";
import { parseText } from "../../src/boot/storage/lvm-text.ts";
import { GROUP_TEXT, physicalVolume } from "../fixtures/lvm.ts";

const name = fc.stringMatching(/^[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,20}$/).filter(isName);
const byteString = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

test("a name of device-mapper can be taken apart again", () => {
  fc.assert(
    fc.property(name, name, (group, volume) => {
      expect(splitDmName(dmName(group, volume))).toEqual({ group, volume, layer: undefined });
      expect(splitDmName(`${dmName(group, volume)}-cow`)).toEqual({ group, volume, layer: "cow" });
    }),
  );
});

test("no two volumes have the same name", () => {
  fc.assert(
    fc.property(name, name, name, name, (a, b, c, d) => {
      expect(dmName(a, b) === dmName(c, d)).toBe(a === c && b === d);
    }),
  );
});

test("what can be taken apart was put together so", () => {
  fc.assert(
    fc.property(fc.oneof(byteString, fc.stringMatching(/^[a-b-]{0,12}$/)), (words) => {
      const parts = splitDmName(words);
      if (parts === undefined) return;
      const layer = parts.layer === undefined ? "" : `-${parts.layer.replaceAll("-", "--")}`;
      expect(`${dmName(parts.group, parts.volume)}${layer}`).toBe(words);
    }),
  );
});

test("any text is read or refused by a clause", () => {
  fc.assert(
    fc.property(byteString, fc.nat(GROUP_TEXT.length), fc.nat(40), (junk, at, cut) => {
      for (const source of [junk, GROUP_TEXT.slice(0, at) + junk + GROUP_TEXT.slice(at + cut)]) {
        const whole = parseText(source);
        expect(["string", "object"]).toContain(typeof whole);
        const group = parseGroup(source);
        if (typeof group === "object") for (const { needs } of group.volumes) expect(needs).toBeArray();
      }
    }),
  );
});

test("a physical volume with damaged bytes is read or refused, and only its own bytes are asked for", async () => {
  const sound = physicalVolume({ text: GROUP_TEXT });
  const damage = fc.array(fc.tuple(fc.nat(8191), fc.nat(255)), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(sound.length), async (changes, length) => {
      const bytes = Uint8Array.from(sound.subarray(0, length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      let asked = 0;
      const contents = await readPhysicalVolume(async (offset, count) => {
        expect(Number.isSafeInteger(offset) && offset >= 0 && count >= 0).toBeTrue();
        asked += count;
        return bytes.subarray(offset, offset + count);
      });
      expect(asked).toBeLessThan(256 * 1024 * 1024);
      if (contents.group !== undefined) expect(contents.group.name).toBe("vg-a");
    }),
  );
});

test("any value of a parameter is taken or complained of", () => {
  const parameter = fc.constantFrom(...lvmParameters.map((one) => one.name));
  fc.assert(
    fc.property(parameter, fc.stringMatching(/^[ -~]{0,20}$/), (word, value) => {
      const { settings, complaints } = readLvmSettings(
        parseCommandLine(`${word}="${value.replaceAll('"', "")}"`),
      );
      expect(complaints.length).toBeLessThanOrEqual(1);
      expect(settings.timeout_ms).toBeWithin(0, 86_400_001);
      for (const { group, volume } of settings.volumes) expect(isName(group) && isName(volume)).toBeTrue();
    }),
  );
});
