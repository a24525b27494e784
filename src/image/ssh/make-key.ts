/** A host key that is made for an image. */

import { generateKeyPairSync } from "node:crypto";
import { toBytes } from "../../lib/bytes.ts";
import { sshString } from "../../lib/ssh-key.ts";

/** A new ed25519 key in dropbear's form. */
export function makeHostKey(): Uint8Array {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const halves = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]);
  return Buffer.concat([sshString(toBytes("ssh-ed25519")), sshString(halves)]);
}
