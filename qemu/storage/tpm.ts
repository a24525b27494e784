/** A disk whose key is in a TPM too, made in a guest with one by systemd-cryptenroll(1). */

import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fillStock, makeUnderStockKernel } from "./stock.ts";
import { STORAGE } from "./basic.ts";

/** A disk with STORAGE.luks, and the folder with the state of the TPM that opens it. */
export interface TpmDisk {
  readonly disk: string;
  readonly state: string;
}

/**
 * A LUKS2 volume that STORAGE.passphrase and a TPM open, with an ext4 in it whose /sbin/init is `init`. The disk is in
 * the cache and must not be written to; `dir` gets a copy of the TPM's state, which a machine does write to. Throws
 * Error with the guest's console when it can't be made.
 */
export async function tpmDisk(init: string, dir: string): Promise<TpmDisk> {
  const cached = await makeUnderStockKernel({
    name: "luks-tpm",
    ...{ disks: ["root.img"], size_mb: 64, init, tpm: true },
    tools: ["mkfs.ext4", "cryptsetup", "systemd-cryptenroll"],
    drivers: ["ext4", "dm_crypt"],
    script: [
      "until [ -c /dev/tpmrm0 ]; do $b sleep 0.1; done",
      `printf %s '${STORAGE.passphrase}' >/run/key`,
      // Cheap key derivation: the guest is slow, and the passphrase is no secret.
      `cryptsetup luksFormat -q --type luks2 --uuid ${STORAGE.luks} \\`,
      "  --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/key /dev/vda",
      `PASSWORD='${STORAGE.passphrase}' systemd-cryptenroll --tpm2-device=auto /dev/vda`,
      "cryptsetup open --key-file /run/key /dev/vda clear",
      ...fillStock(
        `mkfs.ext4 -q -F -U ${STORAGE.filesystem} -L ${STORAGE.label}`,
        "/dev/mapper/clear",
        "ext4",
      ),
      "cryptsetup close clear",
    ],
  });
  const state = mkdtempSync(join(dir, "tpm-"));
  cpSync(join(cached, "tpm"), state, { recursive: true });
  return { disk: join(cached, "root.img"), state };
}

/** The state of a TPM that has never been used, which another machine's is to this one's disk. */
export function otherTpm(dir: string): string {
  return mkdtempSync(join(dir, "other-tpm-"));
}
