/** Layers that no guest of ours has, as /sys of machines that have them shows them. */

import { describe, expect, test } from "bun:test";
import { device, loaded, virtual } from "../../../fixtures/machines/fake.ts";

const dm = (name: string, uuid: string, at = 0, slaves = ["sda"]) =>
  virtual(`dm-${at}`, `253:${at}`, slaves, { "dm/name": `${name}\n`, "dm/uuid": `${uuid}\n` });

describe("arrays", () => {
  const LEVELS = [
    ["raid5", "raid456"],
    ["raid6", "raid456"],
    ["raid10", "raid10"],
    ["linear", "linear"],
  ] as const;
  for (const [level, module] of LEVELS)
    test(level, () => {
      const found = device(
        "9:1",
        virtual("md1", "9:1", ["sda"], { "md/level": `${level}\n` }),
        loaded(module),
      );
      expect(found.sentence).toBe(`/dev/md1: ${level} on sda (ahci)`);
      expect(found.modules).toEqual([module, "ahci"]);
      expect(found.ifThere).toEqual(expect.arrayContaining(["md_mod", `md-${level}`]));
      expect(found.tools).toEqual(["mdadm"]);
    });
  test("a partition of one, and the firmware's own", () => {
    const array = virtual("md126", "9:126", ["sda"], {
      "md/level": "raid1\n",
      "md/metadata_version": "external:/md127/0\n",
      "md126p1/partition": "1\n",
      "md126p1/dev": "259:0\n",
    });
    const partition = { "sys/dev/block/259:0": "-> ../../devices/virtual/block/md126/md126p1" };
    const found = device("259:0", array, partition);
    expect(found.sentence).toBe("/dev/md126p1 on md126 (raid1) on sda (ahci)");
    expect(found.notes).toEqual([
      "/dev/md126 is kept by the firmware's RAID, and can be written to only while mdmon runs.",
    ]);
  });
  test("of an unknown level", () => {
    const found = device("9:1", virtual("md1", "9:1", ["sda"], { "md/level": "constructor\n" }));
    expect(found.modules).toEqual(["ahci"]);
    expect(found.ifThere).toEqual(expect.arrayContaining(["md_mod", "md-constructor"]));
  });
});

describe("mappings", () => {
  const LVM = `LVM-${"x".repeat(64)}`;
  const HEX = "0123456789abcdef0123456789abcdef";

  const CASES: readonly (readonly [
    name: string,
    uuid: string,
    what: string,
    tool: string,
    modules: string[],
  ])[] = [
    ["root", `CRYPT-LUKS1-${HEX}-root`, "LUKS1", "cryptsetup", ["dm_crypt"]],
    ["root", "CRYPT-PLAIN-root", "dm-crypt", "cryptsetup", ["dm_crypt"]],
    ["root", `CRYPT-VERITY-${HEX}-root`, "dm-verity", "veritysetup", ["dm_verity"]],
    ["root", "CRYPT-INTEGRITY-root", "dm-integrity", "integritysetup", ["dm_integrity"]],
    ["mpatha", "mpath-3600508b400105e210000900000490000", "multipath", "multipath", ["dm_multipath"]],
    ["vg-root_rimage_0", LVM, "LVM", "lvm", ["dm_raid"]],
    ["vg-pool-tpool", LVM, "LVM", "lvm", ["dm_thin_pool"]],
    ["vg-root_cdata", LVM, "LVM", "lvm", ["dm_cache", "dm_cache_smq"]],
    ["vg-root-cow", LVM, "LVM", "lvm", ["dm_snapshot"]],
  ];
  for (const [name, uuid, what, tool, modules] of CASES)
    test(`${what}, ${name}`, () => {
      const found = device("253:0", dm(name, uuid), loaded("dm_mod", ...modules));
      expect(found.sentence).toBe(`/dev/mapper/${name}: ${what} on sda (ahci)`);
      expect(found.modules).toEqual(["dm_mod", ...modules, "ahci"]);
      expect(found.tools).toEqual([tool]);
      expect(found.notes).toEqual([]);
      // In a kernel that has them built in, another one may have them as modules.
      const builtin = device("253:0", dm(name, uuid));
      expect(builtin.modules).toEqual(["ahci"]);
      expect(builtin.ifThere).toEqual(expect.arrayContaining(["dm_mod", ...modules]));
    });
  test("LVM takes what is loaded and may be for it, and nothing else", () => {
    const found = device(
      "253:0",
      dm("vg-root", LVM),
      loaded("dm_thin_pool", "raid10", "dm_crypt", "dm_bufio"),
    );
    expect(found.modules).toEqual(["ahci"]);
    expect(found.ifThere.filter((name) => !name.startsWith("pci:"))).toEqual([
      "dm_mod",
      "dm_thin_pool",
      "raid10",
    ]);
  });
  test("volumes of volumes are one in the sentence", () => {
    const found = device(
      "253:3",
      dm("vg-root", LVM, 3, ["dm-1", "dm-2"]),
      dm("vg-root_rimage_0", `${LVM}`, 1),
      dm("vg-root_rimage_1", `${LVM}`, 2),
    );
    expect(found.sentence).toBe("/dev/mapper/vg-root: LVM on sda (ahci)");
    expect(found.layers).toHaveLength(4);
  });
  test("what nobody knows", () => {
    const found = device("253:0", dm("odd \xff\tname", "stratis-1-private"));
    expect(found.sentence).toContain("/dev/mapper/odd \ufffd\\tname: a mapping on sda (ahci)");
    expect(found.tools).toEqual([]);
    expect(found.notes[0]).toContain(
      "is a mapping of the device mapper, and no tool is known that sets it up.",
    );
  });
  test("circles come to an end", () => {
    const found = device("253:0", dm("a", LVM, 0, ["dm-1"]), dm("b", "CRYPT-PLAIN-b", 1, ["dm-0", "sda"]));
    expect(found.sentence).toBe("/dev/mapper/a: LVM on b (dm-crypt) on sda (ahci)");
  });
  test("towers come to an end", () => {
    const tower = Array.from({ length: 200 }, (_, at) =>
      dm(`level${at}`, "CRYPT-PLAIN-x", at, [`dm-${at + 1}`, `dm-${at + 2}`]),
    );
    const found = device("253:0", ...tower);
    expect(found.layers.length).toBeLessThan(200);
    expect(found.sentence.length).toBeLessThan(100_000);
  });
});
