import { describe, expect, test } from "bun:test";
import type { ChildEnd, ChildRequest, ChildResult } from "../../../../src/boot/children/children.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { MdLayer } from "../../../../src/boot/storage/md.ts";
import { readMdSettings } from "../../../../src/boot/storage/md-settings.ts";
import { type Tree, attribute, fakeKernel, file } from "../../../../syscalls/fake.ts";
import { readText } from "../../../../syscalls/index.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { ARRAY, ARRAY_COLONS, member, members } from "../../../fixtures/md-members.ts";

const NAME = `array ${ARRAY_COLONS} (root, raid1)`;
const succeeds: ChildEnd = { kind: "exited", status: 0 };

/** A layer whose mdadm ends as `ends` says, run by run. */
function setting(line = "", { rootfs = {} as Tree, ends = [] as ChildEnd[], output = "" } = {}) {
  let startRo = "0\n";
  const parameters = {
    start_ro: attribute(
      () => startRo,
      (bytes) => void (startRo = `${Buffer.from(bytes).toString()}\n`),
    ),
  };
  const { etc = {}, sys: more = {} } = rootfs as { etc?: Tree; sys?: Tree };
  const kernel = fakeKernel({
    rootfs: { dev: {}, etc, sys: { module: { md_mod: { parameters } }, ...more } },
  });
  const { sys } = kernel;
  const { boot, lines } = bootOn(sys, line);
  const requests: ChildRequest[] = [];
  const startRoSeen: string[] = [];
  const loaded: string[] = [];
  const run = async (_: Boot, request: ChildRequest): Promise<ChildResult> => {
    requests.push(request);
    if (request.argv[1] === "--assemble") sys.mknod(request.argv[2] ?? "", "block", 0o600, "9:127");
    startRoSeen.push(readText(sys, "/sys/module/md_mod/parameters/start_ro").trim());
    return { end: ends.shift() ?? succeeds, output };
  };
  let wake = Promise.withResolvers<void>();
  const context = {
    changed: () => {
      wake.resolve();
      wake = Promise.withResolvers();
    },
    loadModules: async (names: readonly string[]) => void loaded.push(...names),
  };
  const layer = new MdLayer(boot, context, readMdSettings(boot.words).settings, run);
  return {
    layer,
    lines,
    requests,
    loaded,
    startRoSeen,
    startRo: () => startRo.trim(),
    argv: () => requests.map(({ argv }) => argv.join(" ")),
    changed: () => wake.promise,
  };
}

test("an array that the command line names lacks until it runs, unless it is optional", async () => {
  const other = "01234567:89abcdef:01234567:89abcdef";
  const at = setting(`rd.md.uuid=${ARRAY_COLONS} rd.md.uuid=${other} rd.md.optional=${other}`);
  expect(at.layer.lacks()).toEqual([{ what: `array ${ARRAY_COLONS}`, required: true }]);
  at.layer.update([member("vda"), member("vdb", { role: 1 })]);
  expect(at.layer.lacks()).toHaveLength(1);
  await at.changed();
  expect(at.layer.lacks()).toEqual([]);
  expect(setting().layer.lacks()).toEqual([]);
});

describe("an array that is whole", () => {
  test("is started at once, read-only until it is written to", async () => {
    const at = setting();
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    expect(at.layer.isBusy()).toBe(true);
    expect(at.layer.waitsFor()).toEqual([`${NAME} has 2 of 2 members (vda and vdb) and is being started`]);
    await at.changed();
    expect(at.argv()).toEqual([`mdadm --assemble /dev/md/root --uuid=${ARRAY_COLONS} /dev/vda /dev/vdb`]);
    expect(at.requests[0]?.env).toMatchObject({ MDADM_NO_UDEV: "1", LC_ALL: "C" });
    expect(at.loaded).toEqual(["md_mod", "raid1"]);
    expect([at.startRoSeen, at.startRo()]).toEqual([["1"], "0"]);
    expect(at.layer.isBusy()).toBe(false);
    expect([at.layer.waitsFor(), at.layer.problems()]).toEqual([[], []]);
    expect(at.lines).toEqual([`info: ${NAME} is started as /dev/md/root, of vda and vdb`]);
  });

  test("is started once, however often its members are read again", async () => {
    const at = setting();
    const all = [member("vda"), member("vdb", { role: 1 })];
    at.layer.update(all);
    at.layer.update(all);
    await at.changed();
    at.layer.update([]);
    at.layer.update(all);
    await at.layer.stop();
    expect(at.requests).toHaveLength(1);
  });

  test("that runs already is left as it is, one that does not is taken apart first", async () => {
    for (const [state, commands] of [
      ["read-auto", []],
      ["inactive", ["mdadm --stop /dev/md7", "mdadm --assemble /dev/md/root"]],
    ] as const) {
      const holders = { md7: {} };
      const block = {
        vda: { holders },
        vdb: { holders },
        md7: { md: { array_state: file(`${state}\n`) } },
      };
      const at = setting("", { rootfs: { sys: { class: { block } } } });
      at.layer.update([member("vda"), member("vdb", { role: 1 })]);
      await at.changed();
      expect(at.argv().map((words) => words.split(" ").slice(0, 3).join(" "))).toEqual([...commands]);
      expect(at.layer.waitsFor()).toEqual([]);
    }
  });

  test("two of one name get two, one after the other", async () => {
    const at = setting();
    const other = "ffffffff-0000-0000-0000-000000000001";
    at.layer.update([...members("raid1", 2), member("vdc", { uuid: other, raidDisks: 1 })]);
    await at.changed();
    expect(at.requests).toHaveLength(1);
    await at.changed();
    expect(at.argv()[1]).toStartWith("mdadm --assemble /dev/md/root_0 ");
  });
});

describe("members are missing", () => {
  test("it is waited for them, and the array is whole when they come", async () => {
    const at = setting("rd.md.timeout=60");
    at.layer.update([member("vda")]);
    expect(at.layer.waitsFor()).toEqual([`${NAME} has 1 of 2 members (vda); it is started degraded in 60 s`]);
    expect([at.layer.isBusy(), at.requests]).toEqual([true, []]);
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    await at.changed();
    expect(at.argv()[0]).not.toContain("--run");
    await at.layer.stop();
  });

  test("after the timeout it is started degraded, and members that come then are told of once", async () => {
    const at = setting("rd.md.timeout=0.02");
    at.layer.update([member("vda")]);
    while (at.layer.waitsFor().length > 0) await at.changed();
    expect(at.argv()).toEqual([`mdadm --assemble /dev/md/root --run --uuid=${ARRAY_COLONS} /dev/vda`]);
    expect(at.lines[0]).toStartWith(
      `warning: ${NAME} runs degraded, with 1 of 2 members (vda): no other came within 0.02 s.`,
    );
    for (let again = 0; again < 2; again++) at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    expect(at.lines.slice(1)).toEqual([
      `warning: vdb came too late for ${NAME}, which runs without it; 'mdadm --manage --re-add' puts it back.`,
    ]);
    expect(at.requests).toHaveLength(1);
  });

  test("one that went on alone before is started at once", async () => {
    const at = setting();
    at.layer.update([member("vda", { active: [0] })]);
    await at.changed();
    expect(at.argv()[0]).not.toContain("--run");
    expect(at.lines[0]).toStartWith(
      `warning: ${NAME} runs degraded, with 1 of 2 members (vda), as it did before.`,
    );
  });

  test("rd.md.timeout=0 waits for ever, and holds up nobody", () => {
    const at = setting("rd.md.timeout=0");
    at.layer.update([member("vda")]);
    expect(at.layer.waitsFor()).toEqual([`${NAME} has 1 of 2 members (vda)`]);
    expect(at.layer.isBusy()).toBe(false);
    expect(at.layer.problems()).toEqual([
      `${NAME} could not be started: it has 1 of 2 members (vda), and waits for the others.`,
    ]);
  });

  test("what can't run without them is never tried, and told after the timeout", async () => {
    const at = setting("rd.md.timeout=0.02");
    at.layer.update(members("raid5", 3, [0, 1]));
    expect(at.layer.isBusy()).toBe(false);
    await at.changed();
    const sentence =
      `array ${ARRAY_COLONS} (root, raid5) could not be started: ` +
      "it has 1 of 3 members (vdc), and needs at least 2 at this level.";
    expect(at.lines).toEqual([`warning: ${sentence}`]);
    expect(at.layer.problems()).toEqual([sentence]);
    at.layer.update(members("raid5", 3, [0]));
    await at.changed();
    expect(at.argv()).toEqual([
      `mdadm --assemble /dev/md/root --run --uuid=${ARRAY_COLONS} /dev/vdb /dev/vdc`,
    ]);
  });

  test("when all its members go before that, it is forgotten", async () => {
    const at = setting("rd.md.timeout=0.02");
    at.layer.update([member("vda")]);
    at.layer.update([]);
    expect([at.layer.waitsFor(), at.layer.isBusy()]).toEqual([[], false]);
    await at.layer.stop();
    expect(at.requests).toEqual([]);
  });

  test("an optional one holds up nobody, and its failure is a notice", async () => {
    const at = setting(`rd.md.timeout=0.02 rd.md.optional=${ARRAY}`);
    at.layer.update(members("raid0", 2, [0]));
    await at.changed();
    expect(at.layer.isBusy()).toBe(false);
    expect(at.layer.problems()).toEqual([]);
    expect(at.lines).toEqual([
      `notice: array ${ARRAY_COLONS} (root, raid0) could not be started: it has 1 of 2 members (vdb), ` +
        "and needs all at this level. It is optional, and nothing waits for it.",
    ]);
  });

  test("an optional one that still waits is told of at the end, and no other is", async () => {
    for (const [line, told] of [
      [`rd.md.optional=${ARRAY}`, 1],
      ["", 0],
    ] as const) {
      const at = setting(line);
      at.layer.update([member("vda")]);
      expect(at.lines).toEqual([]);
      await at.layer.stop();
      expect(
        at.lines.filter((said) => said.endsWith("It is optional, and nothing waits for it.")),
      ).toHaveLength(told);
      expect(at.lines).toHaveLength(told);
    }
  });

  test("an optional one that has no member here is not waited for, though it is named", () => {
    const other = "01234567:89abcdef:01234567:89abcdef";
    const at = setting(`rd.md.uuid=${other} rd.md.uuid=${ARRAY_COLONS} rd.md.optional=${other}`);
    at.layer.update([]);
    const words = `array ${ARRAY_COLONS}, which rd.md.uuid= names, has no member here`;
    expect([at.layer.waitsFor(), at.layer.problems()]).toEqual([[words], [`${words}.`]]);
  });
});

describe("mdadm fails", () => {
  test("what it says is told, what it left is stopped, and it is tried anew with other members", async () => {
    const at = setting("", {
      ends: [{ kind: "exited", status: 1 }],
      output: "mdadm: no\nmdadm: really \x1b[2J\n",
    });
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    await at.changed();
    const failure = `${NAME} could not be started: mdadm ended with status 1; no; really \\x1b[2J.`;
    expect(at.lines).toEqual([`warning: ${failure}`]);
    expect(at.layer.problems()).toEqual([failure]);
    expect(at.layer.waitsFor()).toEqual([
      `${NAME} has 2 of 2 members (vda and vdb) and could not be started`,
    ]);
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    expect(at.argv().slice(1)).toEqual(["mdadm --stop /dev/md/root"]);
    at.layer.update([member("vda"), member("vdb", { role: 1 }), member("vdc", { role: "spare" })]);
    await at.changed();
    expect(at.layer.problems()).toEqual([]);
  });

  test("without mdadm in the image the remedy is named", async () => {
    const at = setting("", { ends: [{ kind: "failed", why: "is not in the image" }] });
    at.layer.update([member("vda", { active: [0] })]);
    await at.changed();
    expect(at.layer.problems()).toEqual([
      `${NAME} could not be started: mdadm is not in the image: build it with --tools mdadm.`,
    ]);
  });
});

describe("who is wanted", () => {
  const other = "00000000-0000-0000-0000-000000000001";

  test("rd.md.uuid= names the only ones, and those that are not there are told", async () => {
    const at = setting(`rd.md.uuid=${other}`);
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    const absent = "array 00000000:00000000:00000000:00000001, which rd.md.uuid= names, has no member here";
    expect(at.layer.waitsFor()).toEqual([absent]);
    expect(at.layer.problems()).toEqual([
      `${absent}.`,
      `${NAME} is left alone: rd.md.uuid= names others only.`,
    ]);
    await at.layer.stop();
    expect(at.requests).toEqual([]);
  });

  test("what is optional need not be named besides", async () => {
    const at = setting(`rd.md.uuid=${other} rd.md.optional=${ARRAY}`);
    at.layer.update([member("vda", { active: [0] })]);
    await at.changed();
    expect(at.requests).toHaveLength(1);
  });

  test("mdadm.conf forbids and names; rd.md.conf=0 and rd.md.uuid= overrule it", async () => {
    const conf = `ARRAY <ignore> UUID=${ARRAY_COLONS}\n`;
    for (const [line, started] of [
      ["", 0],
      ["rd.md.conf=0", 1],
      [`rd.md.uuid=${ARRAY}`, 1],
    ] as const) {
      const at = setting(line, { rootfs: { etc: { mdadm: { "mdadm.conf": file(conf) } } } });
      at.layer.update([member("vda", { active: [0] })]);
      if (started > 0) await at.changed();
      await at.layer.stop();
      expect(at.requests).toHaveLength(started);
    }
    const parts = {
      "b.conf": file("AUTO -all\n"),
      "a.conf": file(`ARRAY /dev/md5 UUID=${ARRAY}\n`),
      other: file(conf),
    };
    const at = setting("", { rootfs: { etc: { "mdadm.conf.d": parts } } });
    at.layer.update([member("vda", { active: [0] }), member("vdb", { uuid: other, active: [0] })]);
    await at.changed();
    expect(at.argv()[0]).toContain("--assemble /dev/md5 ");
    expect(at.layer.problems()).toEqual([
      "array 00000000:00000000:00000000:00000001 (root, raid1) is left alone: mdadm.conf in the image forbids it.",
    ]);
  });

  test("rd.md=0 leaves all alone, and says whom", async () => {
    const at = setting(`rd.md=0 rd.md.uuid=${ARRAY}`);
    expect(at.layer.problems()).toEqual([]);
    at.layer.update([member("vda"), member("vdb", { role: 1 })]);
    expect(at.layer.problems()).toEqual(["rd.md=0 keeps vda and vdb from becoming an array."]);
    expect([at.layer.waitsFor(), at.layer.isBusy(), at.requests]).toEqual([[], false, []]);
  });

  test("members of a container of firmware are left alone, with a word", () => {
    const at = setting();
    const { device } = member("vda");
    const found = { type: "isw_raid_member", usage: "raid" } as const;
    at.layer.update([
      { device, found },
      { device: member("vdb").device, found },
    ]);
    expect(at.lines).toEqual([
      "info: vda and vdb belong to a RAID of Intel's firmware (IMSM), which rdinit leaves alone.",
    ]);
    expect(at.layer.problems()).toEqual([
      "vda and vdb belong to a RAID of Intel's firmware (IMSM), which rdinit leaves alone.",
    ]);
    expect(at.layer.waitsFor()).toEqual([]);
  });

  test("damaged members are named", () => {
    const at = setting();
    at.layer.update([member("vda", { damaged: "md superblock is damaged (why)" })]);
    expect(at.layer.problems()).toEqual([
      "vda is left out of its array: its md superblock is damaged (why).",
    ]);
  });
});

test("after the end nothing is begun any more", async () => {
  const at = setting("rd.md.timeout=0.01");
  at.layer.update([member("vda")]);
  await at.layer.stop();
  at.layer.update([member("vda"), member("vdb", { role: 1 })]);
  await at.layer.stop();
  expect(at.requests).toEqual([]);
});
