import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "bun";
import { GENERIC_ROWS, NETWORK_ROWS } from "../../../src/image/generic-table.ts";
import { genericModules } from "../../../src/image/generic.ts";
import { RootTree } from "../../../src/image/root-tree.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const M = "lib/modules/1";

function choose(files: readonly string[], more: Record<string, string | Uint8Array> = {}, network = false) {
  const tree = temporaryTree({ [`${M}/modules.dep`]: files.map((file) => `${file}:\n`).join(""), ...more });
  return genericModules(new RootTree(tree), { release: "1", network });
}

describe("a kernel's own modules", () => {
  const files = [
    "kernel/drivers/ata/ahci.ko",
    "kernel/drivers/ata/pata_pcmcia.ko.xz",
    "kernel/drivers/scsi/aacraid/aacraid.ko.zst",
    "kernel/drivers/scsi/scsi_debug.ko",
    "kernel/drivers/scsi/iscsi_tcp.ko",
    "kernel/drivers/scsi_other/x.ko",
    "kernel/drivers/input/serio/hyperv-keyboard.ko",
    "kernel/drivers/input/serio/serport.ko",
    "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko",
    "kernel/drivers/net/wireless/ath/ath.ko",
    "kernel/arch/x86/crypto/aesni-intel.ko",
    "kernel/arch/x86/kvm/kvm.ko",
    "kernel/fs/ext4/ext4.ko",
    "kernel/fs/ocfs2/ocfs2.ko",
    "kernel/fs/nfs/nfs.ko",
    "kernel/fs/nls/nls_cp437.ko",
    "kernel/fs/nls/nls_cp850.ko",
    "kernel/fs/nls/nls_iso8859-1.ko",
    "kernel/fs/nls/nls_iso8859-15.ko",
    "kernel/fs/nls/nls_utf8.ko",
    "kernel/sound/soundcore.ko",
    "kernel/top.ko",
  ];

  test("by folder, without what the table leaves out", () => {
    expect(choose(files)).toEqual([
      "ahci",
      "aacraid",
      "hyperv_keyboard",
      "aesni_intel",
      "ext4",
      "nls_cp437",
      "nls_iso8859_1",
      "nls_utf8",
    ]);
  });
  test("network cards and file systems only when asked for", () => {
    const without = choose(files);
    expect(choose(files, {}, true).filter((name) => !without.includes(name))).toEqual([
      "iscsi_tcp",
      "e1000e",
      "nfs",
    ]);
  });
  test("no modules are no sentence, no modules directory is one", () => {
    expect(choose([])).toEqual([]);
    const empty = new RootTree(temporaryTree({ "etc/x": "" }));
    expect(() => genericModules(empty, { release: "1", network: false })).toThrow(
      "There are no modules for the kernel 1 in",
    );
  });
  test("a modules directory elsewhere", () => {
    const root = new RootTree(temporaryTree({ "opt/m/modules.dep": "kernel/fs/xfs/xfs.ko:\n" }));
    expect(genericModules(root, { release: "1", directory: "/opt/m", network: false })).toEqual(["xfs"]);
  });
});

// The text of a module that calls these functions of the kernel.
function calling(...symbols: string[]): string {
  return `\x7fELF...\0printk\0${symbols.join("\0")}\0`;
}

describe("modules from elsewhere", () => {
  test("in the place of one of the kernel's own", () => {
    const order = "kernel/drivers/scsi/mpt3sas/mpt3sas.ko\nkernel/sound/soundcore.ko\n";
    const files = ["updates/dkms/mpt3sas.ko", "extra/soundcore.ko"];
    expect(choose(files, { [`${M}/modules.order`]: order })).toEqual(["mpt3sas"]);
  });
  test("by what they call", () => {
    const more = {
      [`${M}/updates/dkms/zfs.ko.zst`]: zstdCompressSync(Buffer.from(calling("register_filesystem"))),
      [`${M}/extra/gpu.ko`]: calling("drm_dev_register"),
      "opt/vendor/fancy-raid.ko": calling("scsi_host_alloc"),
      [`${M}/extra/nic.ko`]: calling("register_netdev"),
      [`${M}/extra/wifi.ko`]: calling("register_netdevice", "wiphy_register"),
    };
    const files = [
      "updates/dkms/zfs.ko.zst",
      "extra/gpu.ko",
      "/opt/vendor/fancy-raid.ko",
      "extra/nic.ko",
      "extra/wifi.ko",
      "extra/gone.ko",
    ];
    expect(choose(files, more)).toEqual(["zfs", "fancy_raid"]);
    expect(choose(files, more, true)).toEqual(["zfs", "fancy_raid", "nic"]);
  });
  test("a damaged one is a sentence", () => {
    const more = { [`${M}/extra/x.ko.xz`]: new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2]) };
    expect(() => choose(["extra/x.ko.xz"], more)).toThrow("extra/x.ko.xz can't be unpacked as xz");
  });
});

test("the table has folders as modules.dep names them, and names as the kernel does", () => {
  for (const { folder, only = [], except = [] } of [...GENERIC_ROWS, ...NETWORK_ROWS]) {
    expect(folder).toMatch(/^[a-z0-9]+(?:\/(?:[a-z0-9_-]+|\*))*$/);
    for (const name of [...only, ...except]) expect(name).toMatch(/^[a-z0-9_*?[\]!-]+$/);
    for (const name of [...only, ...except].filter((pattern) => !pattern.includes("[")))
      expect(name).not.toContain("-");
  }
});
