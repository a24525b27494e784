import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../../qemu/host.ts";
import { runCommand } from "../../../src/cli.ts";
import { parsePe, peSection } from "../../../src/image/pe.ts";
import { makeKernel, makeStub } from "../../fixtures/pe.ts";
import { recordingTerminal } from "../../fixtures/terminal.ts";
import { temporaryDirectory, temporaryTree } from "../../fixtures/temporary.ts";

const tree = temporaryTree({
  vmlinuz: makeKernel({ release: "6.1.0-test" }),
  stub: makeStub([".ucode"]),
  one: "first",
  two: "second",
  ucode: "update",
  "words with spaces": "root=/dev/vda\n\tquiet\n",
  "os-release": "ID=test\n",
  "splash.bmp": "BM picture",
});
const out = join(temporaryDirectory(), "uki.efi");
const at = (name: string) => join(tree, name);
const PARTS = ["--linux", at("vmlinuz"), "--stub", at("stub"), "--os-release", "ID=test"];

async function uki(...args: string[]): Promise<{ status: number; said: string[]; printed: string }> {
  const terminal = recordingTerminal();
  const status = await runCommand(["uki", ...args], terminal);
  return { status, said: terminal.said, printed: terminal.printed.join("") };
}

const section = (name: string) => {
  const data = peSection(parsePe(readFileSync(out)), name);
  return data && Buffer.from(data).toString("latin1");
};

describe("rdinit uki", () => {
  test("makes a file that its owner alone reads, and says nothing", async () => {
    const given = ["-i", at("one"), "--initrd", at("two"), "--cmdline", "  quiet  splash=1 "];
    const more = ["--splash", at("splash.bmp"), "--microcode", at("ucode"), "--uname", "6.1"];
    expect(await uki("-o", out, ...PARTS, ...given, ...more)).toEqual({ status: 0, said: [], printed: "" });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(section(".initrd")).toBe("first\0\0\0second\0\0");
    expect(section(".cmdline")).toBe("quiet  splash=1");
    expect([section(".ucode"), section(".uname"), section(".splash")]).toEqual([
      "update",
      "6.1",
      "BM picture",
    ]);
  });

  test("takes texts out of files", async () => {
    const files = ["--cmdline", `@${at("words with spaces")}`, `--os-release=@${at("os-release")}`];
    expect((await uki("-o", out, ...PARTS, ...files)).status).toBe(0);
    expect([section(".cmdline"), section(".osrel")]).toEqual(["root=/dev/vda quiet", "ID=test\n"]);
  });

  test("has the stub of systemd and the os-release of this machine for defaults", async () => {
    expect((await uki("-o", out, "-l", at("vmlinuz"))).status).toBe(0);
    expect(section(".osrel")).toBe(readFileSync("/etc/os-release", "latin1"));
    expect(section(".sdmagic")).toContain("systemd-stub");
    expect(section(".cmdline")).toBeUndefined();
  });

  test("lists the sections when asked to", async () => {
    const { printed } = await uki("-o", out, ...PARTS, "--cmdline=quiet", "-v");
    expect(printed).toMatch(/^ +5 {2}\.cmdline$/m);
    expect(printed).toMatch(new RegExp(`^ +${makeKernel().length} {2}\\.linux$`, "m"));
  });

  test("names that are no UTF-8 are files like others", async () => {
    const name = `${temporaryDirectory()}/b\xe4d`;
    writeFileSync(Buffer.from(name, "latin1"), "first");
    expect(await uki("-o", `${name}.efi`, ...PARTS, "-i", name)).toMatchObject({ status: 0, said: [] });
    const made = readFileSync(Buffer.from(`${name}.efi`, "latin1"));
    expect(Buffer.from(peSection(parsePe(made), ".initrd") ?? []).toString()).toBe("first\0\0\0");
  });

  test("what fails leaves the older file, and nothing beside it", async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, "uki.efi"), "older");
    const { status } = await uki("-o", join(dir, "uki.efi"), ...PARTS, "-i", at("nowhere"));
    expect(status).toBe(2);
    expect(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), "utf8")])).toEqual([
      ["uki.efi", "older"],
    ]);
  });

  test("a place where nothing can be written is a sentence", async () => {
    const { said } = await uki("-o", "/proc/uki.efi", ...PARTS);
    expect(said[0]).toStartWith("rdinit: The EFI program /proc/uki.efi can't be written: ");
  });

  for (const [what, args, sentence] of [
    ["no output", [], "There is no place to write the EFI program to. Say --output FILE."],
    [
      "no such kernel",
      ["-o", out, "-l", "/nowhere"],
      "The kernel /nowhere can't be read: ENOENT: no such file or directory, stat '/nowhere'.",
    ],
    [
      "a directory",
      ["-o", out, ...PARTS, "-i", "/etc"],
      "The image /etc can't be read: it is no regular file.",
    ],
    [
      "a path as os-release",
      ["-o", out, ...PARTS, "--os-release", "/etc/os-release"],
      "The os-release '/etc/os-release' has no NAME=VALUE in it. A file is named with @ in front: --os-release @FILE.",
    ],
    [
      "a key without a certificate",
      ["-o", out, "--secureboot-private-key", "/key"],
      "To sign takes a key and its certificate, and there is no certificate. Say both --secureboot-private-key and --secureboot-certificate.",
    ],
    ["an operand", ["-o", out, "image"], "'uki' has no use for 'image'. Usage: rdinit uki -o FILE."],
  ] as const)
    test(`${what} is a sentence`, async () => {
      expect(await uki(...args)).toEqual({ status: 2, said: [`rdinit: ${sentence}`], printed: "" });
    });
});

describe("SOURCE_DATE_EPOCH", () => {
  const before = process.env["SOURCE_DATE_EPOCH"];
  afterEach(() => {
    if (before === undefined) delete process.env["SOURCE_DATE_EPOCH"];
    else process.env["SOURCE_DATE_EPOCH"] = before;
  });

  test("is the time of the file, which is the same each time", async () => {
    process.env["SOURCE_DATE_EPOCH"] = "1700000000";
    await uki("-o", out, ...PARTS);
    const first = readFileSync(out);
    expect(first.readUInt32LE(first.readUInt32LE(0x3c) + 8)).toBe(1_700_000_000);
    await uki("-o", out, ...PARTS);
    expect(Buffer.compare(first, readFileSync(out))).toBe(0);
  });
});

describe("signing", () => {
  const dir = temporaryDirectory();
  // A name that no argument of a program could be, were it not for links.
  const key = `${dir}/k\xe4y.pem`;
  const certificate = `${dir}/certificate.pem`;
  const signing = ["--secureboot-private-key", key, "--secureboot-certificate", certificate];

  beforeAll(() => {
    const made = join(dir, "made.pem");
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
      "-keyout", made, "-out", certificate); // prettier-ignore
    writeFileSync(Buffer.from(key, "latin1"), readFileSync(made));
  });

  test("gives a file that sbverify accepts, and nothing more than an unsigned one has", async () => {
    await uki("-o", out, ...PARTS, "-i", at("one"));
    const unsigned = parsePe(readFileSync(out));
    expect(await uki("-o", out, ...PARTS, "-i", at("one"), ...signing)).toEqual({
      status: 0,
      said: [],
      printed: "",
    });
    expect(run("sbverify", "--cert", certificate, out)).toContain("Signature verification OK");
    const signed = parsePe(readFileSync(out));
    expect(signed.isSigned).toBe(true);
    expect(signed.sections.map(({ name, data }) => [name, Buffer.from(data).toString("latin1")])).toEqual(
      unsigned.sections.map(({ name, data }) => [name, Buffer.from(data).toString("latin1")]),
    );
  });

  test("a changed file is none that sbverify accepts", async () => {
    await uki("-o", out, ...PARTS, "-i", at("one"), ...signing);
    const bytes = readFileSync(out);
    bytes.write("worst", bytes.indexOf("first"));
    writeFileSync(out, bytes);
    expect(() => run("sbverify", "--cert", certificate, out)).toThrow("hash check");
  });

  test("systemd's stub is signed without a warning of gaps", async () => {
    const plain = join(dir, "plain.efi");
    await uki("-o", plain, "-l", at("vmlinuz"), "--cmdline=quiet");
    const names = [
      "--key",
      join(dir, "made.pem"),
      "--cert",
      certificate,
      "--output",
      join(dir, "signed.efi"),
    ];
    const { stderr } = Bun.spawnSync(["sbsign", ...names, plain]);
    expect(stderr.toString().replace("Signing Unsigned original image\n", "")).toBe("");
  });

  test("a key that is none is a sentence", async () => {
    const wrong = ["--secureboot-private-key", at("one"), "--secureboot-certificate", certificate];
    const { status, said } = await uki("-o", join(dir, "never.efi"), ...PARTS, ...wrong);
    expect(status).toBe(2);
    expect(said[0]).toStartWith(`rdinit: sbsign did not sign with ${at("one")} and ${certificate}: `);
    expect(said[0]).toEndWith(" Both files must be in PEM form, and belong together.");
    expect(readdirSync(dir)).not.toContain("never.efi");
  });

  test("a key that is not there is a sentence", async () => {
    const wrong = ["--secureboot-private-key", "/nowhere", "--secureboot-certificate", certificate];
    const { said } = await uki("-o", out, ...PARTS, ...wrong);
    expect(said[0]).toStartWith("rdinit: The private key /nowhere can't be read: ENOENT");
  });

  test("without sbsign there is a sentence with its package", () => {
    const argv = [process.execPath, "src/main.ts", "uki", "-o", out, ...PARTS, ...signing];
    const { exitCode, stderr } = Bun.spawnSync(argv, { cwd: PROJECT, env: { PATH: dir } });
    expect([exitCode, stderr.toString()]).toEqual([
      2,
      "rdinit: The program sbsign is missing, which signs. It is in the package sbsigntool.\n",
    ]);
  });
});

function run(...argv: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv);
  if (exitCode !== 0) throw new Error(`${argv[0]}: ${stderr.toString()}`);
  return stdout.toString();
}
