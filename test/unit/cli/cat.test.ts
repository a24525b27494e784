import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/cli.ts";
import { compressed } from "../../fixtures/compress.ts";
import { RAW_TRAILER, rawEntry } from "../../fixtures/newc.ts";
import { temporaryDirectory } from "../../fixtures/temporary.ts";
import { recordingTerminal } from "../../fixtures/terminal.ts";

const ENTRIES = [
  { name: "etc", mode: 0o40755 },
  { name: "etc/fstab", data: "one\n" },
  { name: "etc/binary", data: "\x00\xff\x80\r\n" },
  { name: "usr", mode: 0o40755 },
  { name: "usr/sbin", mode: 0o40755 },
  { name: "usr/sbin/mdadm", data: "ELF" },
  { name: "sbin", mode: 0o120777, data: "/usr/sbin" },
  { name: "link", mode: 0o120777, data: "etc/../etc/fstab" },
  { name: "broken", mode: 0o120777, data: "/lib/none" },
  { name: "console", mode: 0o20600, rdev: [5, 1] },
] as const;
const archive = Buffer.from(ENTRIES.map((entry) => rawEntry(entry)).join("") + RAW_TRAILER, "latin1");
const path = join(temporaryDirectory(), "initrd");
writeFileSync(
  path,
  Buffer.concat([archive, compressed("zstd", Buffer.from(rawEntry({ name: "init", data: "two\n" })))]),
);

async function cat(...args: string[]): Promise<{ status: number; printed: string; said: string[] }> {
  const terminal = recordingTerminal();
  const status = await runCommand(["cat", ...args], terminal);
  return { status, printed: terminal.printed.join(""), said: terminal.said };
}

test("the bytes of files, one behind the other", async () => {
  const { status, printed } = await cat(path, "etc/fstab", "/init", "./etc//binary");
  expect(status).toBe(0);
  expect(printed).toBe("one\ntwo\n\x00\xff\x80\r\n");
});

test("symlinks are followed inside the image", async () => {
  expect((await cat(path, "link", "/sbin/mdadm")).printed).toBe("one\nELF");
});

test("what is missing is a sentence with the nearest name, and nothing is printed", async () => {
  for (const [wrong, right] of [
    ["/etc/fstb", "/etc/fstab"],
    ["fstab", "/etc/fstab"],
    ["usr/bin/mdadm", "/usr/sbin/mdadm"],
    ["inti", "/init"],
  ] as const) {
    const { status, printed, said } = await cat(path, "init", wrong);
    expect(status).toBe(2);
    expect(printed).toBe("");
    expect(said).toEqual([
      `rdinit: ${path}:${wrong.startsWith("/") ? "" : "/"}${wrong} is not in the image. Did you mean ${right}?`,
    ]);
  }
  expect((await cat(path, "nothing/of/the/kind")).said[0]).toEndWith(
    "is not in the image. rdinit list shows what is.",
  );
});

test("what is no file is a sentence", async () => {
  const said = async (name: string) => (await cat(path, name)).said[0];
  expect(await said("etc")).toBe(`rdinit: ${path}:/etc is a directory. rdinit list shows what is in it.`);
  expect(await said("/")).toBe(`rdinit: ${path}:/ is a directory. rdinit list shows what is in it.`);
  expect(await said("console")).toBe(`rdinit: ${path}:/console is no file but a device node.`);
  expect(await said("broken")).toBe(
    `rdinit: ${path}:/broken is a symlink to /lib/none, which is not in the image.`,
  );
});

test("of a damaged image, what is there; and the sentence comes too", async () => {
  const cut = join(temporaryDirectory(), "cut");
  writeFileSync(cut, Buffer.concat([archive, Buffer.from("junk")]));
  const { status, printed, said } = await cat(cut, "etc/fstab");
  expect(status).toBe(2);
  expect(printed).toBe("one\n");
  expect(said[0]).toContain('is damaged after the entry "console"');
  expect((await cat(cut, "init")).said[0]).toContain(
    `${cut}:/init is not in the image. It may have been behind the damage: ${cut} is damaged after`,
  );
});
