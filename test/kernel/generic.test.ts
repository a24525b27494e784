/**
 * What `--generic` takes of a distribution's kernel.
 * RDINIT_STOCK_MODULES_ROOT names the directory that holds lib/modules/RELEASE.
 */

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { sizeOf } from "../../src/image/cpio.ts";
import { genericModules } from "../../src/image/generic.ts";
import { collectModules } from "../../src/image/kmod.ts";
import { RootTree } from "../../src/image/root-tree.ts";

const path = process.env["RDINIT_STOCK_MODULES_ROOT"];

/** Of each kind one: that any distribution's kernel for PCs has them as modules or built in. */
const NEEDED = [
  ...["ahci", "ata_piix", "nvme", "virtio_blk", "virtio_scsi", "virtio_pci", "xen_blkfront", "hv_storvsc"],
  ...["vmw_pvscsi", "mpt3sas", "megaraid_sas", "sd_mod", "sr_mod", "usb_storage", "uas", "xhci_pci", "vmd"],
  ...["sdhci_pci", "mmc_block", "firewire_sbp2", "loop", "nd_pmem"],
  ...["raid1", "raid456", "dm_crypt", "dm_thin_pool", "dm_raid", "dm_snapshot", "dm_verity", "bcache"],
  ...["xts", "aesni_intel", "algif_skcipher", "crc32c_generic"],
  ...["usbhid", "hid_generic", "hid_apple", "i2c_hid_acpi", "atkbd", "i8042", "virtio_input"],
  ...["ext4", "xfs", "btrfs", "f2fs", "vfat", "nls_cp437", "squashfs", "overlay", "erofs", "isofs", "udf"],
];

const NETWORK = ["e1000e", "igb", "r8169", "virtio_net", "nfsv4", "bonding", "nvme_tcp", "r8152"];
const NEVER = ["scsi_debug", "tcrypt", "amdgpu", "snd", "iwlwifi", "ocfs2", "kvm", "nfsd", "drm"];

test.skipIf(path === undefined)("it has a driver of every kind, and little else", () => {
  const root = new RootTree(path ?? "");
  const [release = ""] = readdirSync(`${path}/lib/modules`);
  const builtin = Buffer.from(root.read(`/lib/modules/${release}/modules.builtin`) ?? []).toString();
  const isBuiltin = (name: string) => new RegExp(`/${name.replaceAll("_", "[_-]")}\\.ko$`, "m").test(builtin);
  for (const network of [false, true]) {
    const names = genericModules(root, { release, network });
    const { modules, notes } = collectModules(root, { release, names });
    const taken = new Set(modules.map(({ name }) => name));
    expect(NEEDED.filter((name) => !taken.has(name) && !isBuiltin(name))).toEqual([]);
    expect(NETWORK.filter((name) => taken.has(name) !== network && !isBuiltin(name))).toEqual([]);
    expect(NEVER.filter((name) => taken.has(name))).toEqual([]);
    expect(notes.length).toBeLessThan(8);
    const bytes = modules.reduce((sum, { data }) => sum + sizeOf(data), 0);
    console.log(
      `${release}, ${network ? "with" : "without"} the network: ${modules.length} modules, ` +
        `${(bytes / 1e6).toFixed(1)} MB`,
    );
  }
});
