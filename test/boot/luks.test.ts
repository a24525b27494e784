/** Encrypted roots: opened by a passphrase, by key files and with headers that are elsewhere, and no secret left behind. */

import { beforeAll, expect, test } from "bun:test";
import { HANDOVER_RULES } from "../../qemu/handover/rules.ts";
import { builtinKernel } from "../../qemu/kernel.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import {
  type Listing,
  type Rule,
  compare,
  describeDifferences,
  probeRoot,
  referenceListing,
} from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS, bootRdinit, expectSaid, probeDisk, probed } from "../../qemu/scenario.ts";
import { LUKS, luksWithHeader, luksWithKey, twoLuks } from "../../qemu/storage/luks.ts";
import { STORAGE, plainLuks } from "../../qemu/storage/basic.ts";
import type { Tree } from "../../qemu/tree.ts";
import { CLEAN, LOOK, MAKE_MS, QUESTION, answer, imageFile, lookedAt } from "../fixtures/encrypted-boot.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const tools = ["cryptsetup"];
let tree: Tree;
let direct: Listing;

/** In what an encrypted root differs from a plain one. */
const ENCRYPTED: readonly Rule[] = [
  { key: /^(?:cwd\.node|root\.node|mount\.\/\.dev|kernel\.cmdline)$/, why: "it is another device" },
  { key: /^dir\.\/dev\/(?:dm-0|mapper\/luks-.*)$/, why: "that is the device" },
  { key: /^dir\.\/dev\/vdb$/, why: "a test plugs it in" },
  {
    key: /^memory\.Mlocked$/,
    why: "the kernel unlocks what cryptsetup had locked in batches of fifteen pages for each CPU (mm/mlock.c)",
    allows: (_, through) => Number(through) <= 60,
  },
];

beforeAll(async () => {
  tree = await probeRoot();
  direct = await referenceListing({
    name: "luks-direct",
    kernel: (await builtinKernel()).vmlinuz,
    append: "root=/dev/vda",
    disks: [{ file: await probeDisk(temporaryDirectory()) }],
    timeout_ms: MACHINE_MS,
  });
}, TEST_MS);

for (const version of ["luks1", "luks2"] as const)
  test(
    `${version}: the passphrase is typed on the console`,
    async () => {
      const [disk = ""] = await makeDisksInGuest(plainLuks(tree, version));
      const machine = await bootRdinit(`luks-typed-${version}`, {
        append: `root=UUID=${STORAGE.filesystem} rd.luks.uuid=${STORAGE.luks} rd.luks.options=discard`,
        disks: [{ file: disk }],
        hotplug: ["virtio-blk"],
        image: { tools, shell: true, files: [LOOK] },
      });
      // It is shown again below a line of the kernel's.
      await machine.console.expect(QUESTION, MACHINE_MS);
      await machine.plugDisk({ file: await probeDisk(temporaryDirectory()) });
      await machine.console.expect("[vdb]", MACHINE_MS);
      expect(await answer(machine, STORAGE.passphrase)).toBe(`vda (luks-${STORAGE.luks})`);
      const listing = await probed(machine);
      expect(listing.get("mount./.source")).toBe(`/dev/mapper/luks-${STORAGE.luks}`);
      expect(listing.get("processes.others")).toBe("0");
      expect(describeDifferences(compare(direct, listing, [...HANDOVER_RULES, ...ENCRYPTED]))).toBe("");
      expect(machine.console.text).not.toContain(STORAGE.passphrase);
      // The question is on the console: nothing else is said of the wait.
      expect(machine.console.text).not.toContain("waiting for the root");
      expect(lookedAt(machine)).toEqual([
        "10-look: discards",
        ...CLEAN,
        `10-look: mapped: control luks-${STORAGE.luks}`,
      ]);
    },
    MAKE_MS,
  );

test(
  "a key file in the image, by crypttab",
  async () => {
    const [disk = ""] = await makeDisksInGuest(luksWithKey(tree));
    const machine = await bootRdinit("luks-key-image", {
      append: "root=/dev/mapper/vault_root",
      disks: [{ file: disk }],
      image: {
        tools,
        shell: true,
        files: [
          LOOK,
          imageFile(
            "/etc/crypttab",
            `vault_root UUID=${LUKS.root} /etc/keys/root.key luks,no-read-workqueue\n`,
          ),
          imageFile("/etc/keys/root.key", LUKS.key, 0o400),
        ],
      },
    });
    await probed(machine);
    expect(machine.console.text).not.toMatch(QUESTION);
    expect(lookedAt(machine)).toEqual([
      "10-look: no discards",
      ...CLEAN,
      "10-look: mapped: control vault_root",
    ]);
  },
  MAKE_MS,
);

test(
  "a key file on another disk; without that disk a passphrase is asked for",
  async () => {
    const [disk = "", keys = ""] = await makeDisksInGuest(luksWithKey(tree));
    const line = `root=LABEL=${STORAGE.label} rd.luks.uuid=${LUKS.root}`;
    const by = `rd.luks.key=${LUKS.root}=/key.bin:UUID=${LUKS.keys}`;
    const image = { tools, shell: true, files: [LOOK] };
    const opened = await bootRdinit("luks-key-disk", {
      append: `${line} ${by}`,
      disks: [{ file: disk }, { file: keys }],
      image,
    });
    const listing = await probed(opened);
    expect(opened.console.text).not.toMatch(QUESTION);
    expect([...listing.values()].filter((value) => value === "/dev/vdb")).toEqual([]);
    expect(lookedAt(opened)).toContain("10-look: left: 0");

    const without = await bootRdinit("luks-key-missing", {
      append: `${line} ${by} rd.luks.options=keyfile-timeout=2`,
      disks: [{ file: disk }],
      image,
    });
    await answer(without, LUKS.passphrase);
    await probed(without);
    expectSaid(without, [
      `vda (luks-${LUKS.root}) was not opened by its key file: UUID=${LUKS.keys} did not appear within 2 s.`,
    ]);
  },
  MAKE_MS,
);

test(
  "two volumes are opened by one passphrase",
  async () => {
    const [disk = "", other = ""] = await makeDisksInGuest(twoLuks(tree));
    const machine = await bootRdinit("luks-two", {
      append: `root=LABEL=${STORAGE.label} rd.luks.uuid=${LUKS.root} rd.luks.name=${LUKS.other}=second`,
      disks: [{ file: disk }, { file: other }],
      image: { tools, shell: true, files: [LOOK] },
    });
    const volumes = await answer(machine, LUKS.passphrase);
    await probed(machine);
    expect(volumes).toBe(`vda (luks-${LUKS.root}) and vdb (second)`);
    expect(lookedAt(machine)).toContain(`10-look: mapped: control luks-${LUKS.root} second`);
  },
  MAKE_MS,
);

test(
  "a header on another disk, and the key beside it",
  async () => {
    const [disk = "", keys = ""] = await makeDisksInGuest(luksWithHeader(tree));
    const line =
      `root=LABEL=${STORAGE.label} rd.luks.name=${LUKS.root}=apart rd.luks.data=${LUKS.root}=/dev/vda ` +
      `rd.luks.header=${LUKS.root}=/header.img:LABEL=${LUKS.keys_label}`;
    const given = {
      disks: [{ file: disk }, { file: keys }],
      image: { tools, shell: true, files: [LOOK] },
    };
    const look = ["10-look: no discards", ...CLEAN, "10-look: mapped: apart control"];
    const asked = await bootRdinit("luks-header", { append: line, ...given });
    expect(await answer(asked, LUKS.passphrase)).toBe("vda (apart)");
    await probed(asked);
    expect(lookedAt(asked)).toEqual(look);

    const opened = await bootRdinit("luks-header-key", {
      append: `${line} rd.luks.key=${LUKS.root}=/key.bin:LABEL=${LUKS.keys_label}`,
      ...given,
    });
    await probed(opened);
    expect(opened.console.text).not.toMatch(QUESTION);
    expect(lookedAt(opened)).toEqual(look);
  },
  MAKE_MS,
);
