import { describe, expect, test } from "bun:test";
import type { Member } from "../../../../src/boot/storage/layer.ts";
import { type MdArray, arraysOf, judge } from "../../../../src/boot/storage/md-arrays.ts";
import { type MdConf, readMdConf } from "../../../../src/boot/storage/md-conf.ts";
import { chooseName } from "../../../../src/boot/storage/md-name.ts";
import { leftOutWarnings } from "../../../../src/boot/storage/md-words.ts";
import { ARRAY, ARRAY_COLONS, type MdFacts, member, members } from "../../../fixtures/md-members.ts";

function only(...all: Member[]): MdArray {
  const [array, ...others] = arraysOf(all);
  expect(others).toEqual([]);
  if (array === undefined) throw new Error("there is no array");
  return array;
}

const names = (devices: MdArray["devices"]): string[] => devices.map(({ name }) => name);

describe("members become arrays", () => {
  test("a whole mirror", () => {
    const array = only(member("vdb", { role: 1, events: 11 }), member("vda"));
    expect(array).toMatchObject({ uuid: ARRAY, level: "raid1", metadata: "1.2", label: "any:root" });
    expect(array).toMatchObject({
      raidDisks: 2,
      working: 2,
      slots: 2,
      complete: true,
      stale: [],
      copies: [],
    });
    expect(names(array.devices)).toEqual(["vda", "vdb"]);
    expect(judge(array)).toBe("start");
  });

  test("two arrays, in the order of their UUIDs, though their names are the same", () => {
    const other = "00000000-0000-0000-0000-000000000001";
    const found = arraysOf([member("vda"), member("vdb", { uuid: other }), member("vdc", { role: 1 })]);
    expect(found.map(({ uuid, devices }) => [uuid, names(devices)])).toEqual([
      [other, ["vdb"]],
      [ARRAY, ["vda", "vdc"]],
    ]);
  });

  test("half a mirror that knows nothing is waited for; one that knows it is alone is not", () => {
    expect(judge(only(member("vda")))).toBe("wait");
    const alone = only(member("vda", { active: [0] }));
    expect(alone).toMatchObject({ working: 1, complete: true });
    expect(judge(alone)).toBe("start");
  });

  test("a stale half counts for nothing", () => {
    const array = only(
      member("vda", { role: 0, events: 10 }),
      member("vdb", { role: 1, events: 20, active: [1] }),
    );
    expect(names(array.fresh)).toEqual(["vdb"]);
    expect(names(array.stale)).toEqual(["vda"]);
    expect(array.parted).toEqual([]);
    expect(judge(array)).toBe("start");
    expect(leftOutWarnings(array)).toEqual([
      `array ${ARRAY_COLONS} (root, raid1): it has gone on without vda, and does again.`,
    ]);
  });

  test("two halves that have each gone on alone are not taken together", () => {
    const array = only(
      member("vda", { role: 0, events: 19, active: [0] }),
      member("vdb", { role: 1, events: 20, active: [1] }),
    );
    expect(names(array.fresh)).toEqual(["vdb"]);
    expect(names(array.parted)).toEqual(["vda"]);
    expect(leftOutWarnings(array)[0]).toContain("vda and vdb have each gone on without the other");
    // With one update count it is one of them all the same, never both.
    const tied = only(member("vda", { role: 0, active: [0] }), member("vdb", { role: 1, active: [1] }));
    expect(tied.fresh).toHaveLength(1);
  });

  test("a member that is one update behind is fresh, one that is two behind is not", () => {
    expect(only(member("vda", { events: 9 }), member("vdb", { role: 1 })).complete).toBe(true);
    const behind = only(member("vda", { events: 8 }), member("vdb", { role: 1 }));
    expect(behind.complete).toBe(false);
    expect(judge(behind)).toBe("wait");
  });

  test("spares and journals are given to mdadm and fill no slot", () => {
    const array = only(
      member("vda", { role: "spare", events: 99 }),
      member("vdb", { role: "journal" }),
      member("vdc", { role: 1 }),
      member("vdd", { role: "faulty" }),
    );
    expect(array.slots).toBe(1);
    expect(names(array.devices)).toEqual(["vda", "vdb", "vdc", "vdd"]);
    expect(judge(only(member("vda", { role: "spare" })))).toBe("too few");
  });

  test("while a member is replaced, both of its slot belong to the whole", () => {
    const facts: MdFacts = { active: [0, 1, 1] };
    const two = [member("vda", facts), member("vdb", { ...facts, role: 1 })] as const;
    expect(only(...two).complete).toBe(false);
    expect(only(...two, member("vdc", { ...facts, role: 1 })).complete).toBe(true);
    // As many as there should be, and none in the other slot.
    expect(only(member("vda"), member("vdb")).complete).toBe(false);
  });

  test("members that nothing tells apart are no copies", () => {
    const [first, second] = [member("vda", { version: "0.90.0" }), member("vdb", { version: "0.90.0" })];
    const array = only(
      ...[first, second].map(({ device, found }) => {
        const { number: _, ...details } = found.details ?? {};
        return { device, found: { ...found, details } };
      }),
    );
    expect([names(array.devices), names(array.copies)]).toEqual([["vda", "vdb"], []]);
  });

  test("of two copies of a member the newer one is taken, else the first", () => {
    const copy = { identity: "same" };
    const equal = only(member("vda", copy), member("vdb", copy), member("vdc", { role: 1 }));
    expect([names(equal.devices), names(equal.copies)]).toEqual([["vda", "vdc"], ["vdb"]]);
    const newer = only(
      member("vda", { ...copy, events: 9 }),
      member("vdb", copy),
      member("vdc", { role: 1 }),
    );
    expect([names(newer.devices), names(newer.copies)]).toEqual([["vdb", "vdc"], ["vda"]]);
    const old = { version: "0.90.0", role: 0 } as const;
    expect(names(only(member("vda", old), member("vdb", old)).copies)).toEqual(["vdb"]);
  });

  test("with metadata 0.90 a disk that was replaced is a stale member, though its number is another's now", () => {
    const facts = { version: "0.90.0", identity: "1", role: 1 };
    const array = only(
      member("vda", { version: "0.90.0", identity: "0", events: 40 }),
      member("vdb", { ...facts, events: 10 }),
      member("vdc", { ...facts, events: 40 }),
    );
    expect([names(array.fresh), names(array.stale), names(array.copies)]).toEqual([
      ["vda", "vdc"],
      ["vdb"],
      [],
    ]);
  });

  test("damaged superblocks belong to no array", () => {
    expect(arraysOf([member("vda", { damaged: "md superblock is damaged" })])).toEqual([]);
  });
});

describe("what a level can do without", () => {
  const cases: readonly [string, number, number][] = [
    ["raid0", 2, 0],
    ["linear", 2, 0],
    ["raid1", 3, 2],
    ["raid4", 3, 1],
    ["raid5", 3, 1],
    ["raid6", 4, 2],
  ];
  for (const [level, disks, spare] of cases)
    test(`${level} of ${disks}`, () => {
      for (let missing = 0; missing < disks; missing++) {
        const lost = Array.from({ length: missing }, (_, slot) => slot);
        const expected = missing === 0 ? "start" : missing <= spare ? "wait" : "too few";
        expect(judge(only(...members(level, disks, lost)))).toBe(expected);
      }
    });

  test("raid10 is left to mdadm, but for one without any", () => {
    expect(judge(only(...members("raid10", 4, [0, 1, 2])))).toBe("wait");
  });

  test("one that has failed on its own record is not started", () => {
    expect(judge(only(member("vda", { level: "raid5", raidDisks: 3, active: [0] })))).toBe("too few");
  });
});

function conf(line: string): MdConf {
  return readMdConf([`# arrays\n${line}\n`]);
}

function allows(content: string, facts: MdFacts = {}): boolean {
  return readMdConf([content]).allows(only(member("vda", facts)));
}

describe("names", () => {
  const none = readMdConf([]);
  const nameOf = (facts: MdFacts, configured = none, isTaken?: (path: string) => boolean): string =>
    chooseName(only(member("vda", facts)), configured, isTaken ?? (() => false));

  test("the one it was made with, whatever host that was", () => {
    expect(nameOf({})).toBe("/dev/md/root");
    expect(nameOf({ label: "root" })).toBe("/dev/md/root");
    expect(nameOf({ label: "host:0" })).toBe("/dev/md0");
    expect(nameOf({ version: "0.90.0", minor: 3 })).toBe("/dev/md3");
  });

  test("another one when it is taken", () => {
    expect(nameOf({}, none, (path) => path === "/dev/md/root")).toBe("/dev/md/root_0");
    expect(nameOf({ label: "x:0" }, none, (path) => ["/dev/md0", "/dev/md127"].includes(path))).toBe(
      "/dev/md126",
    );
  });

  test("no name that would be another file", () => {
    for (const label of [
      "h:../sda",
      "h:a b",
      "h:..",
      "h:-x",
      "h:",
      "h:\xe4",
      "h:99999999",
      `h:${"x".repeat(99)}`,
    ])
      expect(nameOf({ label })).toBe("/dev/md127");
  });

  test("mdadm.conf names it by UUID, name or number", () => {
    expect(nameOf({}, conf(`ARRAY /dev/md/boot metadata=1.2 UUID=${ARRAY_COLONS}`))).toBe("/dev/md/boot");
    expect(nameOf({}, conf(`array sys\n  name=any:root uuid=${ARRAY}`))).toBe("/dev/md/sys");
    expect(nameOf({}, conf("ARRAY /dev/md7 name=root"))).toBe("/dev/md7");
    expect(nameOf({ version: "0.90.0", minor: 3 }, conf("ARRAY /dev/md8 super-minor=3"))).toBe("/dev/md8");
    expect(nameOf({}, conf("ARRAY /dev/md9 name=root UUID=0:0:0:0"))).toBe("/dev/md/root");
    expect(nameOf({}, conf(`ARRAY /etc/passwd UUID=${ARRAY}`))).toBe("/dev/md/root");
    expect(nameOf({}, conf("ARRAY /dev/md9 devices=/dev/vda"))).toBe("/dev/md/root");
  });
});

describe("what mdadm.conf allows", () => {
  test("arrays with a line, and those without unless AUTO forbids it", () => {
    const line = `ARRAY /dev/md0 UUID=${ARRAY_COLONS}\n`;
    const other = "ARRAY /dev/md0 UUID=0:0:0:1\n";
    expect(allows("")).toBe(true);
    expect(allows(other)).toBe(true);
    expect(allows(`${other}AUTO -all\n`)).toBe(false);
    expect(allows(`${line}AUTO -all\n`)).toBe(true);
    expect(allows(`ARRAY <ignore> UUID=${ARRAY_COLONS}\n`)).toBe(false);
  });

  test("AUTO: the first word that fits counts", () => {
    expect(allows("AUTO +1.x -all")).toBe(true);
    expect(allows("AUTO +0.90 -all")).toBe(false);
    expect(allows("AUTO +0.90 -all", { version: "0.90.0" })).toBe(true);
    expect(allows("AUTO -1.2")).toBe(false);
    expect(allows("HOMEHOST any\nAUTO +homehost -all")).toBe(true);
    expect(allows("HOMEHOST other\nAUTO +homehost -all")).toBe(false);
    expect(allows("AUTO no")).toBe(false);
    expect(allows("AUTO +ddf\nAUTO -all")).toBe(true);
  });
});
