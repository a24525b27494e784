/** Disks made in a guest are what the build machine's own tools take them for. */

import { expect, test } from "bun:test";
import { run, tryRun } from "../../qemu/host.ts";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import type { MakerRecipe } from "../../qemu/maker.ts";
import { plainLuks, plainLvm, raid1, raid1Lvm, raid1LvmLuks, STORAGE } from "../../qemu/storage/basic.ts";
import type { Tree } from "../../qemu/tree.ts";

const TIMEOUT_MS = 150_000;
const TREE: Tree = [{ path: "/etc/name", kind: "text", text: "made in a guest\n" }];

const MEMBER = { TYPE: "linux_raid_member", UUID: STORAGE.array_blkid };
const NAMED = { ...MEMBER, LABEL: `any:${STORAGE.array_name}` };

/** What blkid says of every disk of the recipe. */
const CASES: readonly { readonly recipe: MakerRecipe; readonly blkid: Record<string, string> }[] = [
  { recipe: raid1("0.90", TREE), blkid: { ...MEMBER, VERSION: "0.90.0" } },
  { recipe: raid1("1.2", TREE), blkid: { ...NAMED, VERSION: "1.2" } },
  { recipe: raid1Lvm(TREE), blkid: NAMED },
  { recipe: raid1LvmLuks(TREE), blkid: NAMED },
  { recipe: plainLuks(TREE), blkid: { TYPE: "crypto_LUKS", VERSION: "2", UUID: STORAGE.luks } },
  { recipe: plainLuks(TREE, "luks1"), blkid: { TYPE: "crypto_LUKS", VERSION: "1", UUID: STORAGE.luks } },
  { recipe: plainLvm(TREE), blkid: { TYPE: "LVM2_member", UUID: STORAGE.physical_volume } },
];

for (const { recipe, blkid } of CASES)
  test(
    recipe.name,
    async () => {
      const files = await makeDisksInGuest(recipe);
      expect(files).toHaveLength(recipe.disks.length);
      for (const file of files) {
        const lines = (await run(["blkid", "-p", "-o", "export", file])).split("\n");
        expect(Object.fromEntries(lines.map((line) => line.split("=")))).toMatchObject(blkid);
      }
    },
    TIMEOUT_MS,
  );

test(
  "mdadm and cryptsetup of the build machine find them sound",
  async () => {
    for (const file of await makeDisksInGuest(raid1("1.2", TREE))) {
      const lines = (await run(["mdadm", "--examine", "--export", file])).split("\n");
      expect(lines).toContain("MD_LEVEL=raid1");
      expect(lines).toContain("MD_DEVICES=2");
      expect(lines).toContain(`MD_UUID=${STORAGE.array}`);
    }
    const [encrypted = ""] = await makeDisksInGuest(plainLuks(TREE));
    const open = ["cryptsetup", "open", "--test-passphrase", "--key-file=-", encrypted];
    expect((await tryRun(open, { stdin: STORAGE.passphrase })).status).toBe(0);
    expect((await tryRun(open, { stdin: "another" })).status).toBe(2);
  },
  TIMEOUT_MS,
);

test(
  "a script that fails is reported with the guest's console",
  async () => {
    const recipe = {
      name: "failing",
      disks: [{ name: "a.img", size_mb: 1 }],
      script: "echo so far\nfalse\necho no\n",
    };
    const failure = await makeDisksInGuest(recipe).catch((thrown: unknown) => String(thrown));
    expect(failure).toMatch(/did not come to its end[^]*so far[^]*build\/logs\/maker-failing\.log/);
  },
  TIMEOUT_MS,
);
