/** `make run NET=unlock`: a demo root that is encrypted, and how to unlock it from another terminal. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join, relative } from "node:path";
import { demoTree } from "./demo.ts";
import { makeDisk } from "./disks.ts";
import { PROJECT, run } from "./host.ts";
import { freePort } from "./network/cards.ts";
import { type SshKeys, forwardedCard, makeSshKeys } from "./ssh.ts";

const FOLDER = join(PROJECT, "build/unlock");
const PASSPHRASE = "open sesame";
const SIZE_MB = 96;
/** Where LUKS puts its header: the filesystem is shifted by half of it. */
const HEADER_MB = 32;

/** What the machine gets, and what its user is told. */
export interface UnlockDemo {
  readonly keys: SshKeys;
  /** Arguments of QEMU. */
  readonly card: readonly string[];
  readonly words: string;
}

/** Keys, a port of the loopback, and a configuration of ssh with both. */
export async function prepareUnlock(): Promise<UnlockDemo> {
  mkdirSync(FOLDER, { recursive: true });
  const keys = await makeSshKeys(FOLDER);
  const port = freePort();
  const config = join(FOLDER, "ssh_config");
  const settings = {
    HostName: "127.0.0.1",
    Port: String(port),
    User: "root",
    IdentityFile: keys.private,
    IdentitiesOnly: "yes",
    UserKnownHostsFile: keys.knownHosts,
    HostKeyAlias: "127.0.0.1",
    StrictHostKeyChecking: "yes",
  };
  const lines = Object.entries(settings).map(([name, value]) => `  ${name} "${value}"`);
  writeFileSync(config, ["Host demo", ...lines, ""].join("\n"));
  const place = relative(process.cwd(), config);
  const ssh = `ssh -F ${/^[\w./-]+$/.test(place) ? place : `'${place}'`} demo`;
  return {
    keys,
    card: forwardedCard(port),
    words: [
      "When the passphrase is asked for, answer here, or in another terminal by one of these:",
      `  ${ssh}`,
      `  printf '${PASSPHRASE}' | ${ssh}`,
      `The passphrase of the demo is: ${PASSPHRASE}`,
      `The host key that ssh expects is ${keys.fingerprint}.`,
      "",
    ].join("\n"),
  };
}

/** The demo root in LUKS, as cryptsetup makes it of a file without root's help; its path. */
export async function makeEncryptedDemo(uuid: string): Promise<string> {
  const file = join(PROJECT, "build/demo-encrypted.img");
  if (existsSync(file)) rmSync(file);
  await makeDisk({ file, type: "ext4", tree: await demoTree(), uuid, size_mb: SIZE_MB });
  await truncate(file, (SIZE_MB + HEADER_MB) << 20);
  const key = join(FOLDER, "passphrase");
  writeFileSync(key, PASSPHRASE, { mode: 0o600 });
  await run([
    ...["cryptsetup", "reencrypt", "--encrypt", "--type", "luks2", "--batch-mode", "--disable-locks"],
    ...["--reduce-device-size", `${HEADER_MB}M`, "--key-file", key, file],
    // Cheap to derive, as the machine is slow and the passphrase no secret.
    ...["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"],
  ]);
  return file;
}
