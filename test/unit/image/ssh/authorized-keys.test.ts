import { describe, expect, test } from "bun:test";
import { readAuthorizedKeys } from "../../../../src/image/ssh/authorized-keys.ts";

/** A public key of a type, as the third field of its line has it. */
function blob(type: string, size = 64): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.alloc(size, 7)]).toString("base64");
}

const ED = `ssh-ed25519 ${blob("ssh-ed25519")}`;
const all = () => true;
const read = (content: string, knows: (type: string) => boolean = all) =>
  readAuthorizedKeys(content, "/keys", knows);

describe("lines that dropbear takes", () => {
  test.each([
    ["a key alone", ED, ED],
    ["with a comment of several words", `${ED} me at home`, `${ED} me at home`],
    ["tabs, blanks around and DOS line ends", ` \t${ED.replace(" ", "\t ")}\tme \r`, `${ED} me`],
    ["an option", `no-pty ${ED}`, `no-pty ${ED}`],
    [
      "options with values, quotes and blanks in them",
      `restrict,command="echo \\"a, b\\"",permitopen="h:22" ${ED} me`,
      `restrict,command="echo \\"a, b\\"",permitopen="h:22" ${ED} me`,
    ],
    ["the name of an option in any case", `No-X11-Forwarding ${ED}`, `No-X11-Forwarding ${ED}`],
    [
      "a key in a token",
      `verify-required sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com")}`,
      `verify-required sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com")}`,
    ],
  ])("%s", (_, line, kept) => {
    expect(read(`# a comment\n\n${line}\n`).lines).toEqual([kept]);
  });
});

describe("lines that it does not take are named", () => {
  test.each([
    ["no key at all", "hello", "it is no public key"],
    ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${blob("x")}`, "it is no public key"],
    ["a key that is cut short", ED.slice(0, 50), "its key is damaged"],
    ["a key of another type than it says", `ssh-rsa ${blob("ssh-dss")}`, "its key is damaged"],
    ["no base64", "ssh-ed25519 A!B", "its key is damaged"],
    ["where it may come from", `from="10.0.0.1" ${ED}`, "dropbear does not know the option from"],
    ["until when", `restrict,expiry-time="20300101" ${ED}`, "dropbear does not know the option expiry-time"],
    ["what restrict allows again", `restrict,pty ${ED}`, "dropbear does not know the option pty"],
    ["an option that lacks its value", `command ${ED}`, "dropbear does not know the option command"],
    ["a quote that never ends", `command="x ${ED}`, "it is no public key"],
    [
      "too long a line",
      `${ED} ${"x".repeat(4200)}`,
      "it is longer than the 4200 characters that dropbear reads",
    ],
  ])("%s", (_, line, fault) => {
    expect(read(`${ED}\n${line}\n`)).toEqual({
      lines: [ED],
      notes: [`/keys, line 2 is left out: ${fault}.`],
    });
  });
  test("a type that this dropbear was built without", () => {
    expect(read(`${ED}\n`, (type) => type !== "ssh-ed25519").notes).toEqual([
      "/keys, line 1 is left out: this dropbear knows no keys of the type ssh-ed25519.",
    ]);
  });
});

test("what options do here is told", () => {
  expect(read(`command="/bin/true" ${ED}\nrestrict ${ED}`).notes).toEqual([
    "/keys, line 1: its command= counts for nothing here, where all logins unlock.",
    "/keys, line 2: without a terminal, a passphrase that is typed there will be seen.",
  ]);
});
