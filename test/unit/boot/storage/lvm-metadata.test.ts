import { describe, expect, test } from "bun:test";
import { parseGroup } from "../../../../src/boot/storage/lvm-group.ts";
import { readPhysicalVolume } from "../../../../src/boot/storage/lvm-metadata.ts";
import { parseText } from "../../../../src/boot/storage/lvm-text.ts";
import { GROUP_TEXT, PHYSICAL, groupText, physicalVolume, readerOf } from "../../../fixtures/lvm.ts";

const [first, second] = PHYSICAL;

describe("the text", () => {
  test("has sections, lists, numbers and texts with quotes in them", () => {
    const text = parseText(
      'a { b = [ "x", 2, ] c = -1.5 } # no\nd = "say \\"hi\\" # not \\\\ a comment"\n\0\0',
    );
    if (typeof text === "string") throw new Error(text);
    expect(text.values.get("d")).toBe('say "hi" # not \\ a comment');
    expect(text.sections.get("a")?.values).toEqual(
      new Map<string, unknown>([
        ["b", ["x", 2]],
        ["c", -1.5],
      ]) as never,
    );
  });
  for (const [source, problem] of [
    ["a {", "byte 3 is the end, and a section is still open"],
    ["a", "byte 1 should be { or ="],
    ["}", "byte 0 should begin a name"],
    ["a = ", "byte 4 should begin a number or a text"],
    ['a = "x', "byte 4 should begin a number or a text"],
    ["a = [1 2]", "byte 7 should be , or ]"],
    ["a {".repeat(100), "byte 51 lies in too many sections"],
  ] as const)
    test(`${source.slice(0, 20)}: ${problem}`, () => expect(parseText(source)).toBe(problem));
});

describe("the group", () => {
  const group = parseGroup(GROUP_TEXT);
  if (typeof group === "string") throw new Error(group);

  test("its name, its sequence and its physical volumes", () => {
    expect(group).toMatchObject({ name: "vg-a", sequence: 7 });
    expect(group.physicalVolumes).toEqual([
      { id: first, lastSeen: "/dev/vda" },
      { id: second, lastSeen: "/dev/vdb" },
    ]);
  });

  for (const [name, needs, types] of [
    ["lv-b", [first], ["striped"]],
    ["both", [first, second], ["striped"]],
    ["mirrored", [first, second], ["raid1", "striped"]],
    // A snapshot and its origin are active together or not at all.
    ["origin", [first, second], ["striped", "snapshot"]],
    ["before", [second, first], ["striped", "snapshot"]],
    ["slim", [first, second], ["thin", "thin-pool", "striped"]],
  ] as const)
    test(`${name} needs ${needs.length} disks`, () => {
      const volume = group.volumes.find((one) => one.name === name);
      expect(volume?.visible).toBeTrue();
      expect(volume?.needs.toSorted()).toEqual([...needs].toSorted());
      expect(volume?.types).toEqual([...types]);
    });

  test("the parts of volumes are not for people", () => {
    expect(group.volumes.filter(({ visible }) => visible).map(({ name }) => name)).toEqual([
      "lv-b",
      "both",
      "mirrored",
      "origin",
      "before",
      "slim",
      "pool",
    ]);
  });

  test("volumes that are made of each other are followed once", () => {
    const circle = GROUP_TEXT.replace('"pv0", 8,', '"both", 8, "slim", 0,').replace(
      'thin_pool = "pool"',
      'thin_pool = "both"',
    );
    const read = parseGroup(circle);
    if (typeof read === "string") throw new Error(read);
    expect(read.volumes.find(({ name }) => name === "both")?.needs).toEqual([second]);
  });

  test.each([
    ['status = ["RESIZEABLE", "READ"]', false],
    ['status = ["RESIZEABLE", "READ", "EXPORTED"]', true],
    ['system_id = ""', false],
    ['system_id = "elsewhere"', true],
    ['lock_type = "none"', false],
    ['lock_type = "sanlock"', true],
  ])("%s: it is for another system, or for several: %p", (line, reserved) => {
    expect(parseGroup(`a { id = "x"\nseqno = 1\n${line}\n}`)).toMatchObject({ reserved });
  });

  test("what is no group is a clause", () => {
    expect(parseGroup("version = 1")).toBe("it does not describe one volume group");
    expect(parseGroup("a { }\nb { }")).toBe("it does not describe one volume group");
    expect(parseGroup('a { id = "x" }')).toBe("the volume group in it has no id or no seqno");
  });
});

const contents = (bytes: Uint8Array) => readPhysicalVolume(readerOf(bytes));

describe("a physical volume", () => {
  test("with its group", async () => {
    const { group, problem } = await contents(physicalVolume({ text: GROUP_TEXT }));
    expect(problem).toBeUndefined();
    expect(group?.volumes).toHaveLength(14);
  });

  test("whose text goes round the end of its ring", async () => {
    const { group, problem } = await contents(physicalVolume({ text: GROUP_TEXT, start: 15000 }));
    expect(problem).toBeUndefined();
    expect(group?.name).toBe("vg-a");
  });

  test("that belongs to no group, or has no metadata", async () => {
    const bytes = physicalVolume({ text: "" });
    bytes.fill(0, 4096);
    expect(await contents(bytes)).toEqual({ group: undefined, problem: undefined });
    expect(await contents(new Uint8Array(4096))).toEqual({ group: undefined, problem: undefined });
    expect(await contents(new Uint8Array(10))).toEqual({ group: undefined, problem: undefined });
  });

  test("that is damaged, by a clause", async () => {
    const text = groupText({});
    const damaged = physicalVolume({ text });
    damaged[4096 + 700] = 0;
    expect((await contents(damaged)).problem).toBe("the metadata at 4096 has a wrong checksum");
    const header = physicalVolume({ text });
    header[4096 + 24] = 1;
    expect((await contents(header)).problem).toBe("the metadata at 4096 has a header with a wrong checksum");
    expect((await contents(physicalVolume({ text }).subarray(0, 5000))).problem).toBe(
      "the metadata at 4096 lies behind the end of the device",
    );
    expect((await contents(physicalVolume({ text: "a {" }))).problem).toBe(
      "the metadata at 4096 can't be read: byte 3 is the end, and a section is still open",
    );
  });
});
