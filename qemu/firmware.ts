/** Machines that start by an EFI firmware, OVMF (Debian's package ovmf), as real ones do. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { type DiskRecipe, makeDisk } from "./disks.ts";
import { run } from "./host.ts";

/** A firmware's two flash chips. */
export interface Firmware {
  readonly code: string;
  /** Its settings as delivered; what a machine changes of them is thrown away with it. */
  readonly variables: string;
  /** True when it starts only programs that are signed. */
  readonly secureBoot: boolean;
}

const OVMF = "/usr/share/OVMF";
/** Of the key whose certificate the settings with Secure Boot trust. */
const SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil";

/** The firmware. With `secureBoot` it trusts the programs that trustedKey() signs, and no other. */
export function ovmf(secureBoot = false): Firmware {
  const [code, variables] = secureBoot
    ? ["OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd"]
    : ["OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"];
  const firmware = { code: join(OVMF, code), variables: join(OVMF, variables), secureBoot };
  if (!existsSync(firmware.code) || !existsSync(firmware.variables))
    throw new UserError(`The firmware ${firmware.code} is missing.`, "'make setup-test' installs it.");
  return firmware;
}

/** QEMU's arguments for the flash chips; only system management mode may write to them under Secure Boot. */
export function firmwareArguments({ code, variables, secureBoot }: Firmware): string[] {
  return [
    ...["-drive", chip(0, code, "readonly=on")],
    ...["-drive", chip(1, variables, "snapshot=on")],
    ...(secureBoot ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : []),
  ];
}

function chip(unit: number, file: string, mode: string): string {
  return `if=pflash,unit=${unit},format=raw,file=${file.replaceAll(",", ",,")},${mode}`;
}

/** The trusted key, without its passphrase, in a new file in `dir`, and its certificate. */
export async function trustedKey(
  dir: string,
): Promise<{ readonly key: string; readonly certificate: string }> {
  const key = join(dir, "trusted.key");
  await run(["openssl", "rsa", "-in", `${SNAKEOIL}.key`, "-passin", "pass:snakeoil", "-out", key]);
  return { key, certificate: `${SNAKEOIL}.pem` };
}

/** A disk with an EFI system partition that holds `program` where every firmware looks for it. Its path is `file`. */
export function makeEfiDisk(file: string, program: string, size_mb = 128): Promise<void> {
  return makeDisk({
    file,
    type: "vfat",
    tree: [{ path: "/EFI/BOOT/BOOTX64.EFI", kind: "file", from: program }],
    size_mb,
    partition: ESP,
  });
}

const ESP: DiskRecipe["partition"] & {} = {
  table: "gpt",
  disk_id: "e5e5e5e5-0c5f-4a55-9d2e-51c7e0b7a0e0",
  type: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
};
