/**
 * Our planning against modprobe(8)'s, on a distribution's whole module tree.
 * RDINIT_STOCK_MODULES_ROOT names the directory that holds lib/modules/RELEASE.
 */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { ModuleIndex } from "../../src/modules/index.ts";
import { planModules } from "../../src/modules/plan.ts";
import { moduleName } from "../../src/modules/names.ts";

const NAMES = [
  "ext4",
  "fs-ext4",
  "xfs",
  "f2fs",
  "erofs",
  "squashfs",
  "overlay",
  "vfat",
  "nfsv4",
  "cifs",
  "dm-crypt",
  "dm_mod",
  "dm-thin-pool",
  "dm-integrity",
  "raid456",
  "raid1",
  "md-raid1",
  "nvme",
  "nvme-tcp",
  "ahci",
  "megaraid_sas",
  "mpt3sas",
  "virtio_blk",
  "virtio-pci",
  "virtio_net",
  "usb-storage",
  "uas",
  "xhci-pci",
  "sd_mod",
  "mmc_block",
  "hid-generic",
  "i915",
  "amdgpu",
  "e1000e",
  "igb",
  "bnx2x",
  "crypto-crc32c",
  "crypto-xts",
  "aesni-intel",
  "efivarfs",
  "nls_iso8859-1",
  "loop",
  "zram",
  "iscsi_tcp",
  "pci:v00008086d00001533sv00008086sd00000000bc02sc00i00",
  "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00",
  "pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00",
  "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02",
  "pci:v00008086d0000A352sv00001028sd00000A2Bbc01sc06i01",
  "usb:v13FDp3940d0100dc00dsc00dp00ic08isc06ip50in00",
  "usb:v0BC2pAB28d0100dc00dsc00dp00ic08isc06ip62in00",
  "virtio:d00000002v00001AF4",
  "acpi:PNP0C0A:",
  "scsi:t-0x00",
  "hid:b0003g0001v0000046Dp0000C31C",
  "platform:kempld_gpio",
  "cpu:type:x86,ven0000fam0006mod008E:feature:,0000,0001,0081,0099",
];

function stockTree(): { root: string; release: string; directory: string } {
  const root = process.env["RDINIT_STOCK_MODULES_ROOT"];
  if (!root)
    throw new Error(
      "RDINIT_STOCK_MODULES_ROOT is not set: it must name a directory with lib/modules/RELEASE. `make test` sets it.",
    );
  const release = readdirSync(`${root}/lib/modules`)[0] ?? "";
  return { root, release, directory: `${root}/lib/modules/${release}` };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

/** The modules that modprobe would load, in its order; built-in ones are left out. */
function askModprobe(root: string, release: string, name: string): string[] {
  // An empty directory in place of this machine's modprobe.d.
  const argv = ["modprobe", "-C", "/proc/self/task", "-d", root, "-S", release, "--show-depends", name];
  const { stdout, stderr, exitCode } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  const lines = stdout.toString().split("\n");
  return [
    ...new Set(
      lines.filter((line) => line.startsWith("insmod ")).map((line) => moduleName(line.split(" ")[1] ?? "")),
    ),
  ];
}

const tree = stockTree();
const index = new ModuleIndex({
  read: (name) => read(`${tree.directory}/${name}`),
  config: [],
  words: [],
});

for (const name of NAMES)
  test(`${name} is planned as modprobe plans it`, () => {
    const plan = planModules(index, [name], new Set());
    expect(plan.steps.map((step) => step.name)).toEqual(askModprobe(tree.root, tree.release, name));
    expect(plan.refused).toEqual([]);
    expect(plan.cycles).toEqual([]);
    expect(plan.missing.filter(({ wantedBy }) => wantedBy === undefined)).toEqual([]);
  });

test("all softdep lines of btrfs count, where modprobe takes the first one only", () => {
  const names = planModules(index, ["btrfs"], new Set()).steps.map((step) => step.name);
  const modprobes = askModprobe(tree.root, tree.release, "btrfs");
  expect(names.filter((name) => modprobes.includes(name))).toEqual(modprobes);
  const softdeps = (read(`${tree.directory}/modules.softdep`) ?? "").matchAll(/^softdep btrfs pre: (.*)$/gm);
  for (const [, wanted = ""] of softdeps) expect(names).toContain(index.resolve(wanted).modules[0] ?? wanted);
});

test("every module of the tree can be planned in less than two seconds", () => {
  const start = Bun.nanoseconds();
  const names = (read(`${tree.directory}/modules.dep`) ?? "")
    .split("\n")
    .filter(Boolean)
    .map((line) => moduleName(line.slice(0, line.indexOf(":"))));
  const plan = planModules(index, names, new Set());
  expect(plan.steps.length).toBe(new Set(names).size);
  expect(plan.refused).toEqual([]);
  const seen = new Set<string>();
  for (const step of plan.steps) {
    for (const before of [...step.needs, ...step.after]) expect(seen.has(before)).toBe(true);
    seen.add(step.name);
  }
  expect((Bun.nanoseconds() - start) / 1e9).toBeLessThan(2);
});
