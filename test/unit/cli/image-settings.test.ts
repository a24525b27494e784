import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parseCall } from "../../../src/cli/args.ts";
import { imageCommand } from "../../../src/cli/image.ts";
import { readSettings } from "../../../src/cli/image-settings.ts";
import { temporaryTree } from "../../fixtures/temporary.ts";

const terminal = { out: () => {}, say: () => {}, progress: () => {} };
const empty = temporaryTree({ "etc/rdinit.ini": "" });

function settings(ini: string, ...args: string[]) {
  const tree = temporaryTree({ "rdinit.ini": ini });
  return readSettings(parseCall(imageCommand, ["-c", join(tree, "rdinit.ini"), ...args], terminal));
}

describe("readSettings", () => {
  test("without a word: this machine, all drivers for another root", () => {
    expect(settings("")).toMatchObject({
      root: "/",
      selection: "host",
      drivers: [],
      tools: [],
      bootWords: "",
      microcode: "none",
      shell: true,
      compression: "none",
      level: undefined,
    });
    expect(settings("", "--root", empty).selection).toBe("generic");
  });
  test("what is kept for the end is asked of the boot, which the kernel command line can overrule", () => {
    expect(settings("", "--exitrd").bootWords).toBe("rd.exitrd");
    expect(settings("[image]\nexitrd = yes\n[boot]\nquiet").bootWords).toBe("rd.exitrd quiet");
    expect(settings("[image]\nexitrd = no").bootWords).toBe("");
  });
  test("where no shell is wanted, that of a tool is none for people either", () => {
    expect(settings("", "--without-shell")).toMatchObject({ shell: false, bootWords: "rd.shell=0" });
    expect(settings("[image]\nwithout-shell = yes\n[boot]\nquiet").bootWords).toBe("rd.shell=0 quiet");
  });
  test("remote unlock takes the network; keys for it without it are a mistake", () => {
    expect(settings("", "--ssh", "--authorized-keys", "/a", "--authorized-keys", "/b")).toMatchObject({
      network: true,
      ssh: true,
      authorizedKeys: ["/a", "/b"],
      hostKeys: [],
    });
    const ini = "[image]\nssh = no\nauthorized-keys[] = /a\nssh-host-keys = /k\nkey-files = yes";
    expect(settings(ini)).toMatchObject({ network: false, ssh: false, keyFiles: true });
    expect(settings(ini, "--ssh")).toMatchObject({ ssh: true, authorizedKeys: ["/a"], hostKeys: ["/k"] });
    expect(() => settings("", "--authorized-keys", "/a")).toThrow(
      "--authorized-keys is for remote unlock, which was not asked for.",
    );
  });
  test("rdinit.ini says the same things, and the options win", () => {
    const ini = [
      "[image]",
      "drivers = virtio_blk, ext4",
      "tools = mdadm lvm",
      "compress = zstd",
      "level = 3",
      "network = yes",
      "include[] = /a:/b",
      "include[] = /c",
      "[boot]",
      "root = LABEL=x",
      "quiet",
    ].join("\n");
    expect(settings(ini)).toMatchObject({
      selection: "drivers",
      drivers: ["virtio_blk", "ext4"],
      tools: ["mdadm", "lvm"],
      compression: "zstd",
      level: 3,
      network: true,
      includes: ["/a:/b", "/c"],
      bootWords: "root=LABEL=x quiet",
    });
    expect(
      settings(ini, "--generic", "--compress", "lz4", "--tools", "cryptsetup", "--cmdline", "rw"),
    ).toMatchObject({
      selection: "generic",
      compression: "lz4",
      tools: ["cryptsetup"],
      bootWords: "root=LABEL=x quiet rw",
    });
  });
  test("the configuration of the root is read when none is named", () => {
    const root = temporaryTree({ "etc/rdinit.ini": "[image]\ncompress = gzip\n" });
    expect(readSettings(parseCall(imageCommand, ["--root", root], terminal)).compression).toBe("gzip");
  });
  test("'none' is no driver", () => {
    expect(settings("", "--drivers", "none")).toMatchObject({ selection: "drivers", drivers: [] });
  });
  test("what makes no sense is a sentence", () => {
    expect(() => settings("[image]\ncompres = zstd")).toThrow("line 2: [image] has no key compres.");
    expect(() => settings("[image]\noutput = /x")).toThrow("[image] has no key output.");
    expect(() => settings("[imge]\nx = y")).toThrow("line 2: there is no section [imge].");
    expect(() => settings("x = y")).toThrow("a key stands above the first section");
    expect(() => settings("[image]\nnetwork = maybe")).toThrow("network is either yes or no, not 'maybe'.");
    expect(() => settings("[image]\ntools =")).toThrow("line 2: tools needs a value.");
    expect(() => settings("", "--host", "--generic")).toThrow("--host and --generic exclude each other.");
    expect(() => settings("", "--compress", "zip")).toThrow("--compress is one of none, gzip");
    expect(() => settings("", "--level", "high")).toThrow("--level is a number, not 'high'.");
    expect(() => settings("", "--microcode", "intel")).toThrow("--microcode is one of host, all, none");
    expect(() => readSettings(parseCall(imageCommand, ["-c", "/nowhere/x.ini"], terminal))).toThrow(
      "The configuration /nowhere/x.ini can't be read",
    );
  });
});
