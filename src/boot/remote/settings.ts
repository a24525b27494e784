/** What the command line says about logging in over SSH to unlock. */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { readSwitchWord } from "../cmdline/switch-word.ts";

export interface RemoteSettings {
  /** Undefined: when the image was built for it. */
  readonly on: boolean | undefined;
  readonly port: number;
  /** A shell is given to who asks for one. */
  readonly shell: boolean;
}

/** As the help and the README show them (subsystems.ts). */
export const remoteParameters = [
  {
    name: "rd.ssh",
    usage: "rd.ssh[=0|1]",
    meaning:
      "whether a passphrase may be given over SSH: the network comes up and dropbear listens while one is asked for (default 1 in an image with --ssh)",
  },
  {
    name: "rd.ssh.port",
    usage: "rd.ssh.port=PORT",
    meaning: "where it listens (default 22)",
  },
  {
    name: "rd.ssh.shell",
    usage: "rd.ssh.shell[=0|1]",
    meaning:
      "whether `ssh root@host sh` gives a shell, and a boot that fails can be logged in to (default 0)",
  },
] as const;

/** The last word of each counts. Complaints are sentences. */
export function readRemoteSettings(words: readonly Word[]): {
  settings: RemoteSettings;
  complaints: string[];
} {
  const [ssh, portRow, shellRow] = remoteParameters;
  const said = words.some(({ name }) => sameName(name, ssh.name));
  const on = readSwitchWord(words, ssh, true);
  const shell = readSwitchWord(words, shellRow, false);
  const complaints = [...on.complaints, ...shell.complaints];
  let port = 22;
  for (const { value = "" } of words.filter(({ name }) => sameName(name, portRow.name))) {
    const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
    if (number > 0 && number < 65_536) port = number;
    else
      complaints.push(
        `${portRow.name}=${text(value)} is ignored: it is no port of TCP. Usage: ${portRow.usage}.`,
      );
  }
  const nonsense = on.complaints.length === words.filter(({ name }) => sameName(name, ssh.name)).length;
  return {
    settings: { on: said && !nonsense ? on.on : undefined, port, shell: shell.on },
    complaints,
  };
}
