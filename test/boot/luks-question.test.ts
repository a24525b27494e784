/** The question for a passphrase: on all consoles and by the socket, answered wrongly and rightly. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { compile } from "../../qemu/host.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probed } from "../../qemu/scenario.ts";
import { toBytes } from "../../src/lib/bytes.ts";
import { STORAGE, plainLuks } from "../../qemu/storage/basic.ts";
import type { Tree } from "../../qemu/tree.ts";
import { LOOK, MAKE_MS, QUESTION, answer, lookedAt } from "../fixtures/encrypted-boot.ts";

const tools = ["cryptsetup"];
let tree: Tree;

beforeAll(async () => {
  tree = await probeRoot();
});

test(
  "root= names the volume itself; wrong twice, then right",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const machine = await bootRdinit("luks-wrong-twice", {
      append: `root=UUID=${STORAGE.luks} quiet`,
      disks: [{ file: disk }],
      image: { tools, shell: true, files: [LOOK] },
    });
    await answer(machine, "wrong");
    await answer(machine, "wrong again");
    await answer(machine, STORAGE.passphrase);
    await probed(machine);
    expectSaid(machine, [
      `this passphrase does not open vda (luks-${STORAGE.luks}) (1 of 3 tries).`,
      `this passphrase does not open vda (luks-${STORAGE.luks}) (2 of 3 tries).`,
    ]);
    expect(machine.console.text).not.toContain("wrong again");
  },
  MAKE_MS,
);

test(
  "wrong three times: no shell, and what panic= asks for",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const machine = await bootRdinit("luks-wrong-thrice", {
      append: `root=LABEL=${STORAGE.label} rd.luks.name=${STORAGE.luks}=clear rd.timeout=5 panic=-1`,
      disks: [{ file: disk }],
      image: { tools, shell: true },
    });
    for (const passphrase of ["wrong", "wrong again", "wrong at last"])
      expect(await answer(machine, passphrase)).toBe("vda (clear)");
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      "vda (clear) stays closed: no passphrase was right in 3 tries.",
      "No rescue shell is started, as nobody gave the right passphrase; rd.shell=1 would allow it.",
    ]);
  },
  MAKE_MS,
);

test(
  "without cryptsetup in the image the person is told",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const machine = await bootRdinit("luks-no-tool", {
      append: `root=UUID=${STORAGE.luks} rd.timeout=5 rd.shell=0 panic=-1`,
      disks: [{ file: disk }],
    });
    await machine.expectEnd("rebooted");
    expectSaid(machine, [/^vda \(luks-.*\) can't be opened: cryptsetup is not in the image/]);
  },
  TEST_MS,
);

test(
  "on a serial console and on a screen at once, with modules; answered at the keyboard of the screen",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const kernel = await stockKernel();
    const machine = await bootRdinit("luks-screen", {
      append: `console=tty0 console=ttyS0 root=UUID=${STORAGE.filesystem}`,
      disks: [{ file: disk }],
      arguments: ["-device", "VGA"],
      image: { kernel, tools, shell: true, files: [LOOK] },
    });
    await machine.console.expect(QUESTION, MACHINE_MS);
    for (const letter of `${STORAGE.passphrase}\n`) {
      const qcode = KEYS[letter] ?? letter;
      await machine.qmp.execute("send-key", { keys: [{ type: "qcode", data: qcode }] });
    }
    await machine.console.expect("(answered on tty1)", MACHINE_MS);
    await probed(machine);
    expect(lookedAt(machine)).toContain("10-look: left: 0");
  },
  MAKE_MS,
);

test(
  "the image's keymap counts at the keyboard, and in the rescue shell",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const machine = await bootRdinit("luks-keymap", {
      append: `console=tty0 console=ttyS0 root=UUID=${STORAGE.filesystem} rd.break=pre-pivot`,
      disks: [{ file: disk }],
      arguments: ["-device", "VGA"],
      image: {
        kernel: await stockKernel(),
        tools: [...tools, "loadkeys", "setfont"],
        shell: true,
        // On this keyboard c and h have changed places, and the key of ; is an umlaut.
        files: [
          LOOK,
          {
            to: "/etc/rdinit/keymap",
            data: toBytes("keycode 46 = h\nkeycode 35 = c\nkeycode 39 = adiaeresis\n"),
          },
          { to: "/etc/rdinit/font", data: toBytes("no font") },
        ],
      },
    });
    await machine.console.expect(QUESTION, MACHINE_MS);
    for (const letter of `${STORAGE.passphrase}\n`) {
      const meant = SWAPPED[letter] ?? letter;
      await machine.qmp.execute("send-key", { keys: [{ type: "qcode", data: KEYS[meant] ?? meant }] });
    }
    await machine.console.expect("(answered on tty1)", MACHINE_MS);
    await machine.console.expect("rdinit# ", MACHINE_MS);
    machine.console.send("exit\n");
    await probed(machine);
    expectSaid(machine, [/^setfont ended with status \d+: the console keeps the font that it has\.$/]);
    expect(machine.console.text).not.toContain("loadkeys");
  },
  MAKE_MS,
);

const SWAPPED: Readonly<Record<string, string>> = { c: "h", h: "c" };

/** QEMU's names of keys that are no letters. */
const KEYS: Readonly<Record<string, string>> = { " ": "spc", "\n": "ret" };

test(
  "answered by the socket, wrong and then right",
  async () => {
    const [disk = ""] = await makeDisksInGuest(plainLuks(tree));
    const client = await compile("luks-client", [join(import.meta.dir, "luks-client.c")]);
    const machine = await bootRdinit("luks-socket", {
      append: `root=UUID=${STORAGE.filesystem}`,
      disks: [{ file: disk }],
      image: {
        tools,
        shell: true,
        files: [LOOK, { to: "/etc/rdinit.d/pre-trigger/10-client", from: client, mode: 0o755 }],
      },
    });
    await probed(machine);
    expect(machine.console.text).toContain("(answered by the socket)");
    // Some of it comes behind the question, on the same line.
    const lines = [...machine.console.text.matchAll(/rdinit: 10-client: (.*)$/gm)].map(([, line]) => line);
    const volume = `vda (luks-${STORAGE.luks})`;
    const question = `ask Passphrase for ${volume}:`;
    expect(lines).toEqual([
      question,
      "trying",
      `wrong this passphrase does not open ${volume} (1 of 3 tries).`,
      question,
      "trying",
      `ok ${volume}`,
      "end the root is mounted, and the system starts.",
    ]);
    expect(lookedAt(machine)).toContain("10-look: left: 0");
  },
  MAKE_MS,
);
