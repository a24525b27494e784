/** The layer with a cryptsetup and a person that the test plays. */

import { describe, expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import type { ChildEnd, ChildRequest } from "../../../../src/boot/children/children.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { plainLog } from "../../../../src/boot/log.ts";
import type { Desk } from "../../../../src/boot/prompt/desk.ts";
import type { Question } from "../../../../src/boot/prompt/prompt.ts";
import type { Member } from "../../../../src/boot/storage/layer.ts";
import { LuksLayer } from "../../../../src/boot/storage/luks.ts";
import { readLuksSettings } from "../../../../src/boot/storage/luks-settings.ts";
import { fromBytes, toBytes } from "../../../../src/lib/bytes.ts";
import { type Tree, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { type Syscalls, exists, mkdirs, writeFile } from "../../../../syscalls/index.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";
import { LUKS_UUID, luks1, luks2 } from "../../../fixtures/luks-headers.ts";

const SECOND = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

interface Scene {
  /** The UUIDs of the volumes on vda, vdb and so on. */
  readonly uuids?: readonly string[];
  readonly files?: Tree;
  /** The JSON of the headers, which are LUKS 2 then. */
  readonly json?: string;
  /** What the person does, question after question; then nothing more. */
  readonly answers?: readonly string[];
  /** What cryptsetup answers, by the key that it gets: the passphrase or the path of a file; 2 otherwise. */
  readonly opens?: Readonly<Record<string, number>>;
  /** What is opened appears as a device, and a second of its name is refused. */
  readonly appears?: boolean;
  /** What happens while cryptsetup runs. */
  readonly meanwhile?: () => Promise<void>;
}

/** A device of dm-crypt's in sysfs, over this disk with the volume of this UUID. */
function addOpened(sys: Syscalls, name: string, disk: string, uuid = LUKS_UUID): void {
  const number = ["dm-0", "dm-1"].findIndex((one) => !exists(sys, `/sys/class/block/${one}`));
  const directory = `/sys/class/block/dm-${number}`;
  for (const part of ["dm", `slaves/${disk}`]) mkdirs(sys, `${directory}/${part}`);
  const attributes = { dev: `253:${number}`, size: "16", "dm/name": name, "dm/suspended": "0" };
  for (const [attribute, value] of Object.entries(attributes))
    writeFile(sys, `${directory}/${attribute}`, `${value}\n`);
  writeFile(sys, `${directory}/dm/uuid`, `CRYPT-LUKS1-${uuid.replaceAll("-", "")}-${name}\n`);
}

function scene(
  line: string,
  { uuids = [LUKS_UUID], files = {}, json, answers = [], opens = {}, appears = false, meanwhile }: Scene,
) {
  const names = uuids.map((_, at) => `vd${"abc"[at]}`);
  const block = names.map((name, at) => [
    name,
    { uevent: `MAJOR=254\nMINOR=${at}\nDEVNAME=${name}\n`, size: json === undefined ? "16\n" : "32\n" },
  ]);
  const nodes = names.map((name, at) => [
    name,
    json === undefined ? fromBytes(luks1(uuids[at])).padEnd(8192, "\0") : luks2(json, uuids[at]),
  ]);
  const kernel = fakeKernel({
    rootfs: {
      sys: { class: { block: Object.fromEntries(block) as Tree } },
      dev: Object.fromEntries(nodes) as Tree,
      usr: { sbin: { cryptsetup: program() } },
      run: {},
      proc: {},
      ...files,
    },
    mounts: [{ at: "/proc", type: "proc" }],
  });
  const { sys } = kernel;
  const said: string[] = [];
  const asked: string[] = [];
  const told: string[] = [];
  const sentences: string[] = [];
  const taken = new Set<string>();
  const calls: { readonly argv: readonly string[]; readonly key: string }[] = [];
  const given: Uint8Array[] = [];
  const boot = { ...bootOn(sys, line).boot, log: plainLog((_, message) => said.push(message)) };
  const devices = new BlockDevices(sys);
  devices.scan();
  const loaded: string[] = [];
  let lastBusy: boolean | undefined;
  let expected = 0;
  const context = {
    desk: { expect: () => void expected++ } as unknown as Desk,
    changed: () => void (lastBusy = layer.isBusy()),
    loadModules: async (modules: readonly string[]) => void loaded.push(...modules),
  };
  const run = async (_: Boot, { argv, stdin }: ChildRequest) => {
    const key = typeof stdin === "number" ? readKey(stdin) : (argv[argv.indexOf("--key-file") + 1] ?? "");
    calls.push({ argv, key });
    const status = opens[`${argv.at(-1)} ${key}`] ?? opens[key] ?? 2;
    const [disk = "", name = ""] = [argv.at(-2)?.slice("/dev/".length), argv.at(-1)];
    const isTaken = taken.has(name);
    if (appears && status === 0 && !isTaken) {
      taken.add(name);
      addOpened(sys, name, disk, uuids[names.indexOf(disk)]);
    }
    await meanwhile?.();
    const end: ChildEnd = { kind: "exited", status: isTaken ? 5 : status };
    return { end, output: "" };
  };
  const readKey = (fd: number): string => {
    const buffer = new Uint8Array(1024);
    return fromBytes(buffer.subarray(0, sys.read(fd, buffer)));
  };
  const prompt = {
    ask: async ({ words: question, signal }: Question) => {
      const answer = answers[asked.length];
      asked.push(question);
      if (answer === undefined)
        return new Promise<"cancelled">((resolve) =>
          signal.addEventListener("abort", () => resolve("cancelled")),
        );
      if (answer === "declined" || answer === "timed out") return answer;
      const bytes = Uint8Array.from(toBytes(answer));
      given.push(bytes);
      return { bytes, from: "the test" };
    },
    tell: (verdict: string, what: string) => {
      told.push(verdict);
      sentences.push(what);
    },
    close: async () => void told.push("closed"),
  };
  const { settings, complaints } = readLuksSettings(boot.words);
  expect(complaints).toEqual([]);
  const layer = new LuksLayer(boot, context, settings, devices, run, () => prompt);
  const members = async (): Promise<Member[]> =>
    Promise.all(
      devices.all().map(async (device) => {
        const { found } = await device.contents();
        if (found === undefined) throw new Error(`${device.name} holds nothing`);
        return { device, found };
      }),
    );
  const idle = async (): Promise<void> => {
    while (layer.isBusy()) await Bun.sleep(1);
  };
  const busyWhenLastChanged = (): boolean | undefined => lastBusy;
  return {
    layer,
    members,
    idle,
    said,
    asked,
    told,
    sentences,
    calls,
    given,
    loaded,
    devices,
    kernel,
    busyWhenLastChanged,
    expected: () => expected,
  };
}

const named = `rd.luks.name=${LUKS_UUID}=first`;

test("a volume that nobody gave the right passphrase for is told from one that nobody wants open", async () => {
  for (const [answers, expected] of [
    [["a", "b", "c"], true],
    [["timed out"], true],
    [["declined"], false],
  ] as const) {
    const at = scene(`${named} rd.luks.options=tries=1`, { answers });
    at.layer.update(await at.members());
    await at.idle();
    expect([at.layer.hasRefused(), at.layer.asks()]).toEqual([expected, false]);
    await at.layer.stop();
  }
});

test("nor does what fails in another way hide that", async () => {
  const at = scene(`${named} rd.luks.name=${SECOND}=second rd.luks.options=tries=1`, {
    uuids: [LUKS_UUID, SECOND],
    answers: ["wrong"],
    opens: { "second wrong": 4 },
  });
  at.layer.update(await at.members());
  await at.idle();
  expect([at.layer.problems().length, at.layer.hasRefused()]).toEqual([2, true]);
  await at.layer.stop();
});

test.each([
  ["", {}, 1],
  ["rd.luks.options=headless", {}, 0],
  ["", { files: { usr: {} } }, 0],
] as const)(
  "who may answer from elsewhere is told that a question may come: %p %p",
  async (line, how, told) => {
    const at = scene(`${named} ${line}`, how);
    at.layer.update(await at.members());
    await Bun.sleep(5);
    expect(at.expected()).toBe(told);
    await at.layer.stop();
  },
);

describe("what is named", () => {
  test("is lacking until it is open, and is no hindrance", async () => {
    const at = scene(`${named} rd.luks.uuid=${SECOND}`, { answers: ["right"], opens: { right: 0 } });
    expect(at.layer.lacks().map(({ what }) => what)).toEqual([`LUKS ${LUKS_UUID}`, `LUKS ${SECOND}`]);
    at.layer.update(await at.members());
    await at.idle();
    expect(at.layer.lacks()).toEqual([{ what: `LUKS ${SECOND}`, required: false }]);
    await at.layer.stop();
  });

  test("a volume that nobody has named lacks to nobody, and neither does one that was given up", async () => {
    for (const line of ["", named]) {
      const at = scene(line, { answers: ["declined"] });
      at.layer.update(await at.members());
      await at.idle();
      expect(at.layer.lacks()).toEqual([]);
      await at.layer.stop();
    }
  });
});

describe("nofail", () => {
  const files = { etc: { crypttab: `a UUID=${LUKS_UUID} none nofail\nb UUID=${SECOND} none nofail\n` } };

  test("in crypttab has nobody wait for a volume, whether it is absent or a person is asked for it", async () => {
    const at = scene("", { files });
    expect(at.layer.lacks()).toEqual([]);
    at.layer.update(await at.members());
    expect(at.layer.lacks()).toEqual([]);
    while (at.asked.length === 0) await Bun.sleep(1);
    expect(at.layer.lacks()).toEqual([]);
    expect(at.layer.waitsFor()).toEqual([
      "the passphrase of vda (a) is asked for",
      `LUKS ${SECOND} (b) is not there`,
    ]);
    await at.layer.stop();
  });

  test("has nobody asked when the root is there in a moment", async () => {
    const at = scene("", { files });
    at.layer.update(await at.members());
    while (at.layer.waitsFor()[0]?.includes("is being opened") !== true) await Bun.sleep(1);
    await Bun.sleep(20);
    await at.layer.stop();
    expect(at.asked).toEqual([]);
  });

  test("or on the command line counts wherever the volume is named", async () => {
    for (const [line, lacks] of [
      [`rd.luks.uuid=${SECOND}`, []],
      [`rd.luks.uuid=${SECOND} rd.luks.options=${SECOND}=luks`, [`LUKS ${SECOND} (b)`]],
      [`rd.luks.crypttab=0 rd.luks.uuid=${SECOND} rd.luks.options=nofail`, []],
      [`rd.luks.crypttab=0 rd.luks.uuid=${SECOND}`, [`LUKS ${SECOND}`]],
    ] as const) {
      const at = scene(line, { files });
      expect([line, at.layer.lacks().map(({ what }) => what)]).toEqual([line, [...lacks]]);
      await at.layer.stop();
    }
  });
});

describe("what the boot needs besides the root", () => {
  test("is looked for in the volumes that nobody has named", async () => {
    const at = scene("root=/dev/vda", {
      uuids: [LUKS_UUID, SECOND],
      answers: ["right"],
      opens: { right: 0 },
    });
    at.layer.update(await at.members());
    await at.idle();
    expect(at.calls.map(({ argv }) => argv.at(-2))).toEqual(["/dev/vda"]);
    at.layer.need({ kind: "tag", tag: "UUID", value: SECOND, partitionOffset: 0 });
    expect(at.layer.isBusy()).toBe(true);
    await at.idle();
    expect(at.calls.map(({ argv }) => argv.at(-2))).toEqual(["/dev/vda", "/dev/vdb"]);
    await at.layer.stop();
  });
});

test.each([
  ["", "on it"],
  [",header=/header.img", "in /header.img"],
])("nobody is asked for the passphrase of what has no LUKS header (luks%s)", async (option, where) => {
  const at = scene("", {
    answers: ["right"],
    opens: { right: 0 },
    files: {
      dev: { vda: "no header".padEnd(8192, "\0") },
      etc: { crypttab: `root /dev/vda none luks${option}\n` },
      "header.img": "nor here",
    },
  });
  at.layer.update([]);
  while (at.layer.problems().length === 0) await Bun.sleep(1);
  expect(at.layer.problems()).toEqual([`vda (root) is not opened: there is no LUKS header ${where}.`]);
  expect([at.asked, at.calls]).toEqual([[], []]);
  await at.layer.stop();
});

test("a volume whose header is elsewhere is opened with that", async () => {
  const at = scene("", {
    answers: ["right"],
    opens: { right: 0 },
    files: {
      dev: { vda: "\0".repeat(8192) },
      etc: { crypttab: "root /dev/vda none luks,header=/header.img\n" },
      "header.img": fromBytes(luks1()),
    },
  });
  at.layer.update([]);
  while (at.told.length < 2) await Bun.sleep(1);
  expect(at.calls[0]?.argv.slice(6, 8)).toEqual(["--header", "/header.img"]);
  expect(at.layer.problems()).toEqual([]);
  await at.layer.stop();
});

test.each([
  ["by its key file", { files: { "crypto_keyfile.bin": "k" }, opens: { "/crypto_keyfile.bin": 0 } }],
  ["by a passphrase", { answers: ["right"], opens: { right: 0 } }],
])("of two copies of a volume one is opened %s, and the other left alone", async (_, how) => {
  const at = scene(named, { uuids: [LUKS_UUID, LUKS_UUID], appears: true, ...how });
  at.layer.update(await at.members());
  await at.idle();
  expect(at.said.filter((line) => line.includes("vdb"))).toContain(
    "vdb (first) has the UUID of vda, which is open, and stays closed.",
  );
  expect(at.asked).toEqual("answers" in how ? ["Passphrase for vda (first) and vdb (first): "] : []);
  expect(at.told).toEqual("answers" in how ? ["ok", "closed"] : []);
  expect([at.layer.problems(), at.layer.lacks()]).toEqual([[], []]);
  await at.layer.stop();
});

test("two volumes that one passphrase opens are both told, and what fails in another way is too", async () => {
  const two = { uuids: [LUKS_UUID, SECOND], answers: ["right"], appears: true };
  const line = `${named} rd.luks.name=${SECOND}=second`;
  const at = scene(line, { ...two, opens: { right: 0 } });
  at.layer.update(await at.members());
  await at.idle();
  expect([at.told, at.sentences, at.layer.lacks()]).toEqual([
    ["ok", "closed"],
    ["vda (first) and vdb (second)"],
    [],
  ]);
  await at.layer.stop();

  const one = scene(line, { ...two, opens: { "first right": 0, "second right": 4 } });
  one.layer.update(await one.members());
  await one.idle();
  expect([one.told, one.sentences]).toEqual([["ok", "closed"], ["vda (first)"]]);
  expect(one.layer.problems()).toEqual(["vdb (second) can't be opened: its device can't be used."]);
  await one.layer.stop();
});

test("what somebody else has opened is not asked for any more", async () => {
  const at = scene(named, {});
  at.layer.update(await at.members());
  while (at.asked.length === 0) await Bun.sleep(1);
  addOpened(at.kernel.sys, "other", "vda");
  at.layer.update(await at.members());
  await at.idle();
  expect(at.told).toEqual(["closed"]);
  expect([at.layer.problems(), at.layer.lacks(), at.said]).toEqual([[], [], []]);
  await at.layer.stop();
});

test("what appears before cryptsetup has ended is the answer's all the same: nothing is said of the wait yet", async () => {
  const asks: boolean[] = [];
  const meanwhile = async (): Promise<void> => {
    at.layer.update(await at.members());
    // The layer looks at what it is told in turns of its own.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    asks.push(at.layer.asks());
  };
  const at = scene(named, { answers: ["right"], opens: { right: 0 }, appears: true, meanwhile });
  at.layer.update(await at.members());
  await at.idle();
  expect(at.told).toEqual(["ok", "closed"]);
  expect([...asks, at.layer.asks()]).toEqual([true, false]);
  await at.layer.stop();
});

test("several volumes are named in the order of their disks, whichever came first", async () => {
  const at = scene(`${named} rd.luks.name=${SECOND}=second`, { uuids: [LUKS_UUID, SECOND] });
  const members = await at.members();
  at.layer.update(members.slice(1));
  await Promise.resolve();
  at.layer.update(members);
  while (at.asked.length === 0) await Bun.sleep(1);
  expect(at.asked).toEqual(["Passphrase for vda (first) and vdb (second): "]);
  await at.layer.stop();
});

test("whoever waits is woken when the layer ceases to be busy", async () => {
  // Nothing comes of the look: the volume that is named is not there.
  const at = scene(`rd.luks.uuid=${SECOND}`, {});
  at.layer.update(await at.members());
  await at.idle();
  expect(at.busyWhenLastChanged()).toBe(false);
  await at.layer.stop();
});

describe("a passphrase", () => {
  test("opens a volume; what it needs is loaded before, and nothing of it stays", async () => {
    const { layer, members, idle, ...seen } = scene(named, { answers: ["right"], opens: { right: 0 } });
    layer.update(await members());
    await idle();
    expect(seen.asked).toEqual(["Passphrase for vda (first): "]);
    expect(seen.told).toEqual(["ok", "closed"]);
    expect(seen.calls).toEqual([
      {
        argv: [
          ...["cryptsetup", "open", "--type", "luks", "--batch-mode", "--disable-locks"],
          ...["--key-file", "-", "--", "/dev/vda", "first"],
        ],
        key: "right",
      },
    ]);
    expect(seen.loaded).toContain("crypto-cbc");
    expect(seen.kernel.machine.fds.size).toBe(0);
    expect([layer.problems(), layer.waitsFor()]).toEqual([[], []]);
    // It is not opened again.
    layer.update(await members());
    await idle();
    expect(seen.calls).toHaveLength(1);
    await layer.stop();
    expect(seen.given.map(fromBytes)).toEqual(["\0\0\0\0\0"]);
  });

  test("that was right is tried on what appears later, before anyone is asked", async () => {
    const { layer, members, idle, ...seen } = scene(`${named} rd.luks.uuid=${SECOND}`, {
      uuids: [LUKS_UUID, SECOND],
      answers: ["right"],
      opens: { right: 0 },
    });
    const [first, second] = await members();
    if (first === undefined || second === undefined) throw new Error("there are two");
    layer.update([first]);
    await idle();
    expect(seen.calls).toHaveLength(1);
    // The prompt's own buffer holds it no longer.
    expect(seen.given.map(fromBytes)).toEqual(["\0\0\0\0\0"]);
    layer.update([first, second]);
    await idle();
    expect(seen.asked).toHaveLength(1);
    expect(seen.calls.map(({ key }) => key)).toEqual(["right", "right"]);
    expect([layer.problems(), layer.waitsFor()]).toEqual([[], []]);
    await layer.stop();
  });

  test("is tried on all volumes before another is asked for, and counts only when it opens none", async () => {
    const { layer, members, idle, ...seen } = scene(
      `${named} rd.luks.uuid=${SECOND} rd.luks.options=tries=1`,
      {
        uuids: [LUKS_UUID, SECOND],
        answers: ["one", "other"],
        opens: { "first one": 0, [`luks-${SECOND} other`]: 0 },
      },
    );
    layer.update(await members());
    await idle();
    expect(seen.asked).toEqual([
      `Passphrase for vda (first) and vdb (luks-${SECOND}): `,
      `Passphrase for vdb (luks-${SECOND}): `,
    ]);
    expect(seen.told).toEqual(["ok", "ok", "closed"]);
    expect(layer.problems()).toEqual([]);
  });

  test("that is wrong too often leaves the volume closed", async () => {
    const { layer, members, idle, ...seen } = scene(`${named} rd.luks.options=tries=1`, {
      answers: ["wrong"],
    });
    layer.update(await members());
    await idle();
    expect(seen.told).toEqual(["wrong", "closed"]);
    expect(layer.problems()).toEqual(["vda (first) stays closed: no passphrase was right in 1 try."]);
    expect(seen.given.map(fromBytes)).toEqual(["\0\0\0\0\0"]);
  });

  test("that ends with a line feed is tried as it is, and then without; no other is tried twice", async () => {
    const at = scene(named, { answers: ["right\n", "right"], opens: { right: 0 } });
    at.layer.update(await at.members());
    await at.idle();
    expect(at.calls.map(({ key }) => key)).toEqual(["right\n", "right"]);
    expect(at.told).toEqual(["ok", "closed"]);
    const typed = scene(`${named} rd.luks.options=tries=1`, { answers: ["wrong"] });
    typed.layer.update(await typed.members());
    await typed.idle();
    expect(typed.calls.map(({ key }) => key)).toEqual(["wrong"]);
    const whole = scene(named, { answers: ["right\n"], opens: { "right\n": 0 } });
    whole.layer.update(await whole.members());
    await whole.idle();
    expect(whole.calls.map(({ key }) => key)).toEqual(["right\n"]);
  });

  test("may be wrong as often as tries= says, or for ever, and is counted", async () => {
    const said = [];
    for (const tries of [3, 0]) {
      const at = scene(`${named} rd.luks.options=tries=${tries}`, { answers: ["wrong"] });
      at.layer.update(await at.members());
      while (at.told.length === 0) await Bun.sleep(1);
      said.push(...at.sentences);
      expect(at.layer.problems()).toEqual([]);
      await at.layer.stop();
    }
    expect(said).toEqual([
      "this passphrase does not open vda (first) (1 of 3 tries).",
      "this passphrase does not open vda (first).",
    ]);
  });

  test("that is wrong is followed by a pause, which is told and which the end of all cuts short", async () => {
    const { layer, members, told, asked } = scene(named, { answers: ["wrong"] });
    layer.update(await members());
    while (told.length === 0) await Bun.sleep(1);
    await Bun.sleep(20);
    expect(layer.waitsFor()).toEqual(["the passphrase of vda (first) may be given again in 1 s"]);
    expect(asked).toHaveLength(1);
    await layer.stop();
    expect(told).toEqual(["wrong", "closed"]);

    const again = scene(named, { answers: ["wrong", "right"], opens: { right: 0 } });
    again.layer.update(await again.members());
    while (again.asked.length === 0) await Bun.sleep(1);
    const began_ms = performance.now();
    await again.idle();
    expect(performance.now() - began_ms).toBeGreaterThan(900);
    expect(again.told).toEqual(["wrong", "ok", "closed"]);
    await again.layer.stop();
  });

  test("that nobody gives leaves it closed too", async () => {
    for (const [answer, why] of [
      ["declined", "no passphrase was given"],
      ["timed out", "no passphrase came in time"],
    ] as const) {
      const { layer, members, idle } = scene(named, { answers: [answer] });
      layer.update(await members());
      await idle();
      expect(layer.problems()).toEqual([`vda (first) stays closed: ${why}.`]);
    }
  });

  test("is no longer asked for when all is stopped, or the disk is gone", async () => {
    const { layer, members, told, asked } = scene(named, {});
    layer.update(await members());
    while (asked.length === 0) await Bun.sleep(1);
    expect(layer.waitsFor()).toEqual(["the passphrase of vda (first) is asked for"]);
    expect([layer.isBusy(), layer.asks()]).toEqual([true, true]);
    await layer.stop();
    expect(told).toEqual(["closed"]);

    const gone = scene(named, {});
    gone.layer.update(await gone.members());
    while (gone.asked.length === 0) await Bun.sleep(1);
    gone.devices.handle({
      action: "remove",
      devpath: "/devices/vda",
      values: new Map([["SUBSYSTEM", "block"]]),
    });
    gone.layer.update([]);
    await gone.idle();
    expect(gone.told).toEqual(["closed"]);
    expect(gone.layer.waitsFor()).toEqual([`LUKS ${LUKS_UUID} is not there`]);
  });
});

describe("a key file", () => {
  const etc = { crypttab: `vault UUID=${LUKS_UUID} /etc/key keyfile-size=4\n`, key: "abcd" };

  test("opens a volume of crypttab without a question", async () => {
    const { layer, members, idle, asked, calls } = scene("", { files: { etc }, opens: { "/etc/key": 0 } });
    layer.update(await members());
    await idle();
    expect(asked).toEqual([]);
    expect(calls[0]?.argv.slice(6)).toEqual([
      ...["--key-file", "/etc/key", "--keyfile-size", "4"],
      ...["--", "/dev/vda", "vault"],
    ]);
  });

  test("that nobody names is found by the volume's name, in /etc before /run", async () => {
    const keys = { "cryptsetup-keys.d": { "first.key": "k" } };
    const crypttab = `first UUID=${LUKS_UUID} -\n`;
    for (const [path, line, files] of [
      ["/etc", "", { etc: { ...keys, crypttab }, run: keys }],
      ["/run", named, { run: keys, "crypto_keyfile.bin": "k" }],
      ["", named, { "crypto_keyfile.bin": "k" }],
    ] as const) {
      const key = path === "" ? "/crypto_keyfile.bin" : `${path}/cryptsetup-keys.d/first.key`;
      const { layer, members, idle, asked, calls } = scene(line, { files, opens: { [key]: 0 } });
      layer.update(await members());
      await idle();
      expect([asked, calls.map((call) => call.key)]).toEqual([[], [key]]);
    }
  });

  test("that is wrong, or not there, is told; then a person is asked", async () => {
    for (const [files, why] of [
      [{ etc }, "the key is wrong"],
      [{ etc: { crypttab: etc.crypttab } }, "/etc/key is not in the image"],
    ] as const) {
      const { layer, members, idle, said } = scene("", { files, answers: ["right"], opens: { right: 0 } });
      layer.update(await members());
      await idle();
      expect(said).toContain(`vda (vault) was not opened by its key file: ${why}.`);
      expect(said.at(-1)).toBe("opened vda (vault)");
    }
  });

  test("on a disk that does not come is waited for no longer than it may be", async () => {
    const line = `${named} rd.luks.key=/key:LABEL=keys rd.luks.options=keyfile-timeout=0`;
    const { layer, members, idle, said } = scene(line, { answers: ["right"], opens: { right: 0 } });
    layer.update(await members());
    await idle();
    expect(said).toContain(
      "vda (first) was not opened by its key file: LABEL=keys did not appear within 0 s.",
    );
  });
});

describe("a token", () => {
  const json = JSON.stringify({ tokens: { 0: { type: "systemd-tpm2" } } });
  const plugin = { cryptsetup: { "libcryptsetup-token-systemd-tpm2.so": program() } };
  const usr = { lib: { "x86_64-linux-gnu": plugin }, sbin: { cryptsetup: program() } };
  const right = { answers: ["right"], opens: { right: 0 }, json };
  const REFUSED = "vda (first) is not opened by its token (systemd-tpm2): ";

  /** With a plugin in the image, and a chip there if there is one. */
  async function tokenScene(line: string, chip?: string, more: Partial<Scene> = {}) {
    const made = scene(`${named} ${line}`, { ...right, files: { usr }, ...more });
    const appear = (name: string): void => {
      mkdirs(made.kernel.sys, `/sys/class/tpmrm/${name}`);
      writeFile(made.kernel.sys, `/dev/${name}`, "");
    };
    if (chip !== undefined) appear(chip);
    made.layer.update(await made.members());
    return { ...made, appear };
  }

  test("is tried when its plugin is in the image, and a person is asked when it opens nothing", async () => {
    const { idle, calls, said } = await tokenScene("", "tpmrm1");
    await idle();
    expect(calls.map(({ argv }) => argv.slice(6, -3))).toEqual([["--token-only"], ["--key-file", "-"]]);
    expect(said.filter((line) => line.startsWith(REFUSED))).toHaveLength(1);
    const without = scene(named, right);
    without.layer.update(await without.members());
    await without.idle();
    expect(without.calls).toHaveLength(1);
    expect(without.said).toContain(`${REFUSED}the image has no plugin for it.`);
  });

  test("is not waited with where there is no TPM and nobody has asked for one", async () => {
    const { idle, calls, loaded, said } = await tokenScene("");
    await idle();
    expect(loaded).toEqual(expect.arrayContaining(["tpm_crb", "tpm_tis"]));
    expect(calls).toHaveLength(1);
    expect(said).toContain(`${REFUSED}this machine has no TPM.`);
  });

  test("waits for the TPM that tpm2-device= asks for", async () => {
    const { idle, calls, layer, appear, devices } = await tokenScene("rd.luks.options=tpm2-device=auto");
    await Bun.sleep(1);
    expect(layer.waitsFor()).toEqual(["vda (first) needs a TPM"]);
    appear("tpmrm0");
    devices.wake();
    await idle();
    expect(calls.map(({ argv }) => argv.slice(6, -3))[0]).toEqual(["--token-only"]);
  });

  test("waits no longer than token-timeout= says", async () => {
    const options = "tpm2-device=/dev/tpmrm7,token-timeout=1s";
    const { idle, said } = await tokenScene(`rd.luks.options=${options}`, "tpmrm0");
    await Bun.sleep(1100);
    await idle();
    expect(said).toContain(`${REFUSED}the TPM /dev/tpmrm7 did not appear within 1 s.`);
  });

  test("that takes a PIN is not tried", async () => {
    const withPin = JSON.stringify({ tokens: { 0: { type: "systemd-tpm2", "tpm2-pin": true } } });
    const { idle, calls, said } = await tokenScene("", "tpmrm0", { json: withPin });
    await idle();
    expect(calls).toHaveLength(1);
    expect(said).toContain(`${REFUSED}it takes a PIN, which is not asked for.`);
  });

  test("that a volume lacks is told when tpm2-device= asks for a TPM", async () => {
    const { idle, said, layer, members } = scene(`${named} rd.luks.options=tpm2-device=auto`, {
      ...right,
      json: "{}",
    });
    layer.update(await members());
    await idle();
    expect(said).toContain(
      "vda (first) has no token for a TPM; 'systemd-cryptenroll --tpm2-device=auto' makes one.",
    );
  });
});

describe("a volume that nobody named", () => {
  test("is opened when root= is itself", async () => {
    const right = { answers: ["right"], opens: { right: 0 }, uuids: [LUKS_UUID, SECOND] };
    const { layer, members, idle, asked } = scene(`root=UUID=${SECOND}`, right);
    layer.update(await members());
    await idle();
    expect(asked).toEqual([`Passphrase for vdb (luks-${SECOND}): `]);
  });

  test("is opened when the root is not there, after a moment", async () => {
    const { layer, members, idle, asked } = scene("root=LABEL=hidden", { answers: ["a"], opens: { a: 0 } });
    layer.update(await members());
    await Bun.sleep(50);
    expect([asked, layer.isBusy()]).toEqual([[], true]);
    await idle();
    expect(asked).toEqual([`Passphrase for vda (luks-${LUKS_UUID}): `]);
  });

  test("stays closed with rd.luks=0, and that is told", async () => {
    const { layer, members, asked } = scene("root=LABEL=hidden rd.luks=0", {});
    layer.update(await members());
    expect(layer.isBusy()).toBe(false);
    expect(asked).toEqual([]);
    expect(layer.problems()).toEqual(["rd.luks=0 keeps encrypted volumes closed."]);
    const none = scene(`rd.luks=0 ${named}`, {}).layer;
    expect([none.lacks(), none.problems()]).toEqual([[], []]);
  });
});

test("nobody is asked when nothing can be done with the answer", async () => {
  const { layer, members, idle, asked } = scene(named, { files: { usr: {} } });
  layer.update(await members());
  await idle();
  expect(asked).toEqual([]);
  expect(layer.problems()).toEqual(["vda (first) can't be opened: cryptsetup is not in the image."]);
});
