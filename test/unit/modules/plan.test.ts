import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { ModuleIndex } from "../../../src/modules/index.ts";
import { planModules, type Plan } from "../../../src/modules/plan.ts";

const files: Record<string, string> = {
  "modules.dep": [
    "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko",
    "kernel/fs/jbd2/jbd2.ko:",
    "kernel/lib/crc16.ko:",
    "kernel/crypto/crc32c_generic.ko:",
    "kernel/drivers/md/dm-mod.ko.xz: kernel/drivers/dax.ko",
    "kernel/drivers/dax.ko:",
    "kernel/drivers/md/dm-crypt.ko.xz: kernel/drivers/md/dm-mod.ko.xz kernel/drivers/dax.ko",
    "kernel/one.ko: kernel/two.ko",
    "kernel/two.ko: kernel/one.ko",
    "kernel/broken.ko: kernel/gone.ko",
    "kernel/late.ko: kernel/lib/crc16.ko",
  ].join("\n"),
  "modules.alias": [
    "alias fs-ext4 ext4",
    "alias crypto-crc32c crc32c_generic",
    "alias pci:v0001d* late",
    "alias pci:v0001d* dm-crypt",
  ].join("\n"),
  "modules.softdep": "softdep ext4 pre: crypto-crc32c no-such\nsoftdep crc16 post: late\n",
  "modules.builtin": "kernel/fs/xfs/xfs.ko\n",
  "modules.builtin.modinfo": "xfs.license=GPL\0xfs.alias=fs-xfs\0",
};

function index(config = "", commandLine = ""): ModuleIndex {
  return new ModuleIndex({
    read: (name) => files[name],
    config: [{ name: "test.conf", text: config }],
    words: parseCommandLine(commandLine),
  });
}

function order(plan: Plan): string[] {
  return plan.steps.map(({ name }) => name);
}

test("needs come first, the last of the line first; soft dependencies come along", () => {
  const plan = planModules(index(), ["fs-ext4"], new Set());
  expect(order(plan)).toEqual(["crc16", "late", "jbd2", "crc32c_generic", "ext4"]);
  expect(plan.steps.at(-1)).toEqual({
    name: "ext4",
    file: "kernel/fs/ext4/ext4.ko",
    parameters: "",
    needs: ["crc16", "jbd2"],
    after: ["crc32c_generic"],
  });
  expect(plan.steps[1]).toMatchObject({ name: "late", needs: ["crc16"], after: [] });
  expect(plan.missing).toEqual([{ name: "no-such", wantedBy: "ext4" }]);
  expect(plan.refused).toEqual([]);
  expect(plan.cycles).toEqual([]);
});

test("what is loaded, built in or asked for twice is no step", () => {
  const plan = planModules(index(), ["ext4", "ext4", "xfs", "fs-xfs", "jbd2"], new Set(["crc16", "jbd2"]));
  expect(order(plan)).toEqual(["crc32c_generic", "ext4"]);
  expect(plan.steps.at(-1)?.needs).toEqual([]);
  expect(plan.missing.filter(({ wantedBy }) => wantedBy === undefined)).toEqual([]);
});

test("names may have dashes, and what is unknown is reported", () => {
  const plan = planModules(index(), ["dm-mod", "dm_crypt.ko.xz", "pci:vFFFF"], new Set());
  expect(order(plan)).toEqual(["dax", "dm_mod", "dm_crypt"]);
  expect(plan.missing).toEqual([{ name: "pci:vFFFF", wantedBy: undefined }]);
});

test("a circle is cut and reported", () => {
  const plan = planModules(index(), ["one"], new Set());
  expect(order(plan)).toEqual(["two", "one"]);
  expect(plan.cycles).toEqual([["one", "two", "one"]]);
});

test("soft dependencies in a circle are cut and reported", () => {
  const plan = planModules(index("softdep crc16 pre: jbd2\nsoftdep jbd2 pre: crc16"), ["crc16"], new Set());
  expect(order(plan)).toEqual(["jbd2", "crc16", "late"]);
  expect(plan.cycles).toEqual([["crc16", "jbd2", "crc16"]]);
});

test("a blacklist holds for aliases and not for names or needs", () => {
  const config = "blacklist late\nblacklist dax\n";
  const byAlias = planModules(index(config), ["pci:v0001d1"], new Set());
  expect(order(byAlias)).toEqual(["dax", "dm_mod", "dm_crypt"]);
  expect(byAlias.refused).toEqual([{ name: "late", why: "it is blacklisted" }]);
  expect(order(planModules(index(config), ["late"], new Set()))).toEqual(["crc16", "late"]);
  // late is a soft dependency of crc16, too.
  expect(order(planModules(index(config), ["crc16"], new Set()))).toEqual(["crc16"]);
});

test("a blacklisted module that another needs is no refusal", () => {
  const plan = planModules(index("blacklist dm-crypt"), ["pci:v0001d1", "dm-crypt"], new Set());
  expect(order(plan)).toContain("dm_crypt");
  expect(plan.refused).toEqual([]);
});

test("what must never be loaded takes along what needs it", () => {
  const plan = planModules(index("install dm-mod /bin/false"), ["dm-crypt"], new Set());
  expect(plan.refused).toEqual([
    { name: "dm_mod", why: '"install dm_mod /bin/false" says never to load it' },
    {
      name: "dm_crypt",
      why: 'it needs dm_mod, and of that: "install dm_mod /bin/false" says never to load it',
    },
  ]);
});

test("a module that modules.dep does not list is refused with what needs it", () => {
  expect(planModules(index(), ["broken"], new Set()).refused).toEqual([
    { name: "gone", why: "modules.dep does not list it" },
    { name: "broken", why: "it needs gone, and of that: modules.dep does not list it" },
  ]);
});

test("parameters come from modprobe.d, then the command line, also by the alias", () => {
  const plan = planModules(
    index("options jbd2 a=1\noptions fs-ext4 by=alias\noptions ext4 x", "jbd2.b=2 ext4.y"),
    ["fs-ext4"],
    new Set(),
  );
  const parameters = Object.fromEntries(plan.steps.map((step) => [step.name, step.parameters]));
  expect(parameters["jbd2"]).toBe("a=1 b=2");
  expect(parameters["ext4"]).toBe("x y by=alias");
});

test("an alias of the configuration comes before a module of that name, and off turns one off", () => {
  expect(order(planModules(index("alias ext4 late"), ["ext4"], new Set()))).toEqual(["crc16", "late"]);
  const off = planModules(index("alias ext4 off"), ["ext4"], new Set());
  expect(off).toEqual({ steps: [], missing: [], refused: [], cycles: [] });
});

test("no modules directory at all is fine", () => {
  const nothing = new ModuleIndex({ read: () => undefined, config: [], words: [] });
  expect(planModules(nothing, ["ext4"], new Set())).toEqual({
    steps: [],
    missing: [{ name: "ext4", wantedBy: undefined }],
    refused: [],
    cycles: [],
  });
});
