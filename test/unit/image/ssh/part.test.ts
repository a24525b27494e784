/** The keys of an image for remote unlock, made and found; OpenSSH and dropbear judge them. */

import { describe, expect, test } from "bun:test";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { makeHostKey } from "../../../../src/image/ssh/make-key.ts";
import { readHostKey } from "../../../../src/lib/ssh-key.ts";
import { sshPart, type SshWishes } from "../../../../src/image/ssh/part.ts";
import { temporaryDirectory, temporaryTree } from "../../../fixtures/temporary.ts";

const dir = temporaryDirectory();

function run(...argv: string[]): string {
  const ended = Bun.spawnSync(argv, { cwd: dir, stdout: "pipe", stderr: "pipe" });
  if (!ended.success) throw new Error(`${argv.join(" ")}: ${ended.stderr.toString()}`);
  return ended.stdout.toString();
}

/** A key of OpenSSH, its file, and its fingerprint as ssh-keygen shows it. */
function openssh(name: string, type: string, passphrase = "") {
  run("ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", name);
  const file = join(dir, name);
  return { file, fingerprint: run("ssh-keygen", "-lf", name).split(" ")[1] ?? "" };
}

const rsa = openssh("rsa", "rsa");
const ecdsa = openssh("ecdsa", "ecdsa");
const ed25519 = openssh("ed25519", "ed25519");
const secret = openssh("secret", "ed25519", "a passphrase");
const LINE = readFileSync(`${ed25519.file}.pub`, "latin1");

function part(files: Record<string, string | Uint8Array>, wishes: Partial<SshWishes> = {}) {
  const place = temporaryTree({ "etc/hostname": "x", ...files });
  const { part: made, decisions } = sshPart(new RootTree(place), {
    authorizedKeys: [],
    hostKeys: [],
    ...wishes,
  });
  const contents = new Map(made.made?.map(({ to, data }) => [to, Buffer.from(data)]));
  return { place, made, contents, decisions, notes: made.notes ?? [] };
}

/** Who may log in. */
function login(...given: Parameters<typeof part>): string | undefined {
  return part(...given)
    .contents.get("/root/.ssh/authorized_keys")
    ?.toString();
}

describe("a host key", () => {
  test("is made once, for root alone to read, and taken from then on", () => {
    const first = part({ "etc/rdinit/authorized_keys": LINE });
    const file = join(first.place, "etc/rdinit/dropbear_ed25519_host_key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(first.place, "etc/rdinit")).sort()).toEqual([
      "authorized_keys",
      "dropbear_ed25519_host_key",
    ]);
    const key = readFileSync(file);
    const { fingerprint = "" } = readHostKey(key) ?? {};
    expect(run("dropbearkey", "-y", "-f", file)).toContain(`Fingerprint: ${fingerprint}`);
    expect(first.notes).toEqual([
      `made ${file}, which later images take as well. Clients will be shown ED25519 ${fingerprint}.`,
    ]);
    expect(first.contents.get("/etc/dropbear/dropbear_ed25519_host_key")).toEqual(key);
    const again = sshPart(new RootTree(first.place), { authorizedKeys: [], hostKeys: [] });
    expect(again.part.made).toEqual(first.made.made);
    expect(again.part.notes).toEqual([]);
    expect(again.decisions).toContain(`The host key ${file} is ED25519 ${fingerprint}.`);
  });
  test("of two that are made at the same time the first stays, and both take it", () => {
    const place = temporaryTree({ "etc/rdinit/authorized_keys": LINE });
    const wishes = { authorizedKeys: [], hostKeys: [] };
    const late = new RootTree(place);
    // It has looked before the other made one.
    expect(late.resolve("/etc/rdinit/dropbear_ed25519_host_key")).toBeUndefined();
    const first = sshPart(new RootTree(place), wishes).part.made;
    expect(sshPart(late, wishes).part.made).toEqual(first);
    expect(sshPart(new RootTree(place), wishes).part.made).toEqual(first);
  });
  test("is put into a directory that nobody else may enter", () => {
    const { place } = part({ "etc/dropbear/initramfs/authorized_keys": LINE });
    expect(statSync(join(place, "etc/rdinit")).mode & 0o777).toBe(0o700);
  });
  test("that was made for Debian's initramfs is kept, but never the system's own", () => {
    const key = makeHostKey();
    const { contents, place } = part({
      "etc/dropbear-initramfs/dropbear_ed25519_host_key": key,
      "etc/dropbear-initramfs/authorized_keys": LINE,
      "etc/dropbear/dropbear_rsa_host_key": "the system's own",
      "etc/ssh/ssh_host_ed25519_key": "the system's own",
    });
    expect([...contents.keys()]).toEqual([
      "/etc/dropbear/dropbear_ed25519_host_key",
      "/root/.ssh/authorized_keys",
    ]);
    expect(contents.get("/etc/dropbear/dropbear_ed25519_host_key")).toEqual(Buffer.from(key));
    expect(readdirSync(join(place, "etc"))).not.toContain("rdinit");
  });
  test("of OpenSSH is converted, and is the same to clients", () => {
    const keys = { "etc/rdinit/authorized_keys": LINE };
    const { contents, decisions } = part(keys, { hostKeys: [rsa.file, ecdsa.file, ed25519.file] });
    for (const [kind, { fingerprint, file }] of Object.entries({ rsa, ecdsa, ed25519 })) {
      const bytes = contents.get(`/etc/dropbear/dropbear_${kind}_host_key`) ?? Buffer.alloc(0);
      expect(readHostKey(bytes)).toEqual({ kind: kind as "rsa", fingerprint });
      expect(decisions).toContain(`The host key ${file} is ${kind.toUpperCase()} ${fingerprint}.`);
    }
    expect(part(keys, { hostKeys: [rsa.file] }).contents.get("/etc/dropbear/dropbear_rsa_host_key")).toEqual(
      contents.get("/etc/dropbear/dropbear_rsa_host_key") ?? Buffer.alloc(0),
    );
  });
  test("that can't be had is a sentence", () => {
    const keys = { "etc/rdinit/authorized_keys": LINE };
    const failing = (...hostKeys: string[]) => expect(() => part(keys, { hostKeys }));
    failing(secret.file).toThrow(`dropbearconvert can't read the key ${secret.file}`);
    failing("/nowhere/key").toThrow("The host key /nowhere/key can't be read");
    failing(`${rsa.file}.pub`).toThrow("holds no private key that dropbear could have as its host key.");
    failing(ed25519.file, ed25519.file).toThrow("Two host keys of the kind ed25519 are named.");
    expect(() => part({ ...keys, "etc/rdinit/dropbear_rsa_host_key": "" })).toThrow("holds no private key");
  });
  test("whose directory can't be made is a sentence with two ways out", () => {
    expect(() => part({ "etc/dropbear/initramfs/authorized_keys": LINE, "etc/rdinit": "a file" })).toThrow(
      /needs a host key for its SSH server, and none can be made in .*\/etc\/rdinit: /,
    );
  });
});

describe("those who may log in", () => {
  const host = { "etc/rdinit/dropbear_ed25519_host_key": makeHostKey() };
  test("are those of the first place that has some, or of the files that are named", () => {
    const debian = { "etc/dropbear/initramfs/authorized_keys": `# Debian\n${LINE}` };
    expect(login({ ...host, ...debian })).toBe(LINE);
    const other = readFileSync(`${rsa.file}.pub`, "latin1");
    expect(login({ ...host, ...debian, "etc/rdinit/authorized_keys": other })).toBe(other);
    expect(
      login(host, { authorizedKeys: [`${rsa.file}.pub`, `${ed25519.file}.pub`, `${rsa.file}.pub`] }),
    ).toBe(other + LINE);
  });
  test("nobody is a sentence with a way out", () => {
    expect(() => part(host)).toThrow(
      /^Nobody could log in to unlock: there is no .*\/etc\/rdinit\/authorized_keys, /,
    );
    expect(() => part({ ...host, "etc/rdinit/authorized_keys": "# none\n" })).toThrow(
      /authorized_keys has no key that dropbear takes/,
    );
    expect(() => part(host, { authorizedKeys: [rsa.file] })).toThrow(
      "is a private key, which belongs into no image.",
    );
    expect(() => part(host, { authorizedKeys: ["/nowhere"] })).toThrow(
      "The file of public keys /nowhere can't be read",
    );
  });
  test("only with keys of types that dropbear has", () => {
    const dropbear = "\0ssh-ed25519\0ssh-rsa\0";
    const files = { ...host, "usr/sbin/dropbear": dropbear, "etc/rdinit/authorized_keys": "" };
    const place = temporaryTree(files);
    writeFileSync(
      join(place, "etc/rdinit/authorized_keys"),
      LINE + readFileSync(`${ecdsa.file}.pub`, "latin1"),
    );
    const { part: made } = sshPart(new RootTree(place), { authorizedKeys: [], hostKeys: [] });
    expect(made.notes?.[0]).toEndWith(
      "line 2 is left out: this dropbear knows no keys of the type ecdsa-sha2-nistp256.",
    );
  });
});

test("a login finds the program that asks", () => {
  const { made } = part({ "etc/rdinit/authorized_keys": LINE });
  expect(made.links).toEqual([{ path: "/bin/unlock", target: "/init" }]);
  expect(made.made?.map(({ mode }) => mode)).toEqual([0o600, undefined]);
});
