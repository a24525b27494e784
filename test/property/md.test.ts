/** What disks and mdadm.conf say of arrays is judged without a crash, and a stale member never counts. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { arraysOf, judge, spareSlots } from "../../src/boot/storage/md-arrays.ts";
import { readMdConf } from "../../src/boot/storage/md-conf.ts";
import { chooseName } from "../../src/boot/storage/md-name.ts";
import { containerWords, describeArray, lack, leftOutWarnings } from "../../src/boot/storage/md-words.ts";
import { type MdFacts, member } from "../fixtures/md-members.ts";

const slot = fc.integer({ min: 0, max: 4 });
const facts: fc.Arbitrary<MdFacts> = fc.record({
  uuid: fc.constantFrom("6a1c0de5-11aa-22bb-33cc-44dd55ee66ff", "00000000-0000-0000-0000-000000000001"),
  label: fc.string({ unit: "binary", maxLength: 32 }),
  level: fc.constantFrom("raid0", "raid1", "raid5", "raid6", "raid10", "linear", "faulty", "raid77"),
  version: fc.constantFrom("0.90.0", "1.0", "1.2"),
  raidDisks: fc.integer({ min: 0, max: 5 }),
  role: fc.oneof(slot, fc.constantFrom("spare" as const, "faulty" as const, "journal" as const)),
  active: fc.array(slot, { maxLength: 5 }),
  events: fc.integer({ min: 0, max: 6 }),
  identity: fc.constantFrom("a", "b", "c", "d", "e"),
});
const members = fc
  .array(facts, { maxLength: 6 })
  .map((all) => all.map((one, at) => member(`vd${String.fromCharCode(97 + at)}`, one)));

describe("arrays of any members", () => {
  test("each member is in one place, and what is started has what its level needs", () => {
    fc.assert(
      fc.property(members, (all) => {
        const arrays = arraysOf(all);
        const placed = arrays.flatMap(({ devices, copies }) => [...devices, ...copies]);
        expect(placed.map(({ name }) => name).sort()).toEqual(all.map(({ device }) => device.name));
        for (const array of arrays) {
          const fresh = new Set(array.fresh);
          expect(array.stale.filter((device) => fresh.has(device))).toEqual([]);
          expect(array.parted.every((device) => array.stale.includes(device))).toBe(true);
          if (judge(array) !== "too few") {
            expect(array.slots).toBeGreaterThan(0);
            const spare = spareSlots(array) ?? array.raidDisks;
            expect(array.slots).toBeGreaterThanOrEqual(array.raidDisks - spare);
          }
          for (const words of [describeArray(array), lack(array), ...leftOutWarnings(array)])
            expect(words).not.toMatch(/[\0-\x1f]/);
        }
        expect(containerWords(all)).toEqual([]);
      }),
    );
  });

  test("any mdadm.conf: the name is a device of md's, and not one that is taken", () => {
    const word = fc.constantFrom(
      "ARRAY",
      "AUTO",
      "HOMEHOST",
      "+all",
      "-1.x",
      "/dev/md1",
      "name=root",
      "<ignore>",
      "\n",
    );
    const content = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(members, content, fc.boolean(), (all, text, taken) => {
        const conf = readMdConf([text]);
        for (const array of arraysOf(all)) {
          expect(typeof conf.allows(array)).toBe("boolean");
          const name = chooseName(array, conf, (path) => taken && path !== "/dev/md9");
          expect(name).toMatch(/^\/dev\/(md\d+|md\/[A-Za-z0-9_.][A-Za-z0-9_.-]*|md_[A-Za-z0-9_.-]+)$/);
          if (taken) expect(name).toBe("/dev/md9");
        }
      }),
    );
  });
});
