import { describe, expect, test } from "bun:test";
import { dirname } from "node:path";
import { toolEnvironment } from "../../../../src/boot/children/spawn.ts";
import { findRecipe, toolParts } from "../../../../src/image/recipes/index.ts";
import { findFiles, findLibraryFiles, findProgram } from "../../../../src/image/recipes/look.ts";
import { RECIPES } from "../../../../src/image/recipes/table.ts";
import { RootTree } from "../../../../src/image/root-tree.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { makeElf } from "../../../fixtures/elf.ts";
import { MemoryTree } from "../../../fixtures/memory-tree.ts";
import { temporaryTree } from "../../../fixtures/temporary.ts";

type Files = Record<string, string | Uint8Array>;
const tree = (files: Files) => new RootTree(temporaryTree({ "etc/hostname": "x", ...files }));
const tool = (files: Files, ...names: string[]) => toolParts(tree(files), names);
const ELF = makeElf({});

/** The sentences of the error that asking for this tool ends in. */
function failure(name: string): readonly string[] {
  try {
    tool({}, name);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [error.message.replace(/\S*rdinit-test[^. ]*/, "ROOT"), error.remedy];
  }
}

describe("toolParts", () => {
  test("a program without a recipe stands for itself, by name or by path", () => {
    const files = { "usr/bin/tool": ELF, "usr/local/sbin/other": ELF, "opt/x": ELF };
    expect(tool(files, "tool", "/opt/x", "other", "tool")).toEqual([
      { why: "the tool tool", programs: ["/usr/bin/tool"] },
      { why: "the tool /opt/x", programs: ["/opt/x"] },
      { why: "the tool other", programs: ["/usr/local/sbin/other"] },
    ]);
  });
  test("another name of a program that has a recipe brings what the recipe says", () => {
    const files = { "usr/sbin/lvm": ELF, "usr/sbin/vgchange": "-> lvm", "etc/lvm/lvm.conf": "" };
    for (const name of ["vgchange", "/usr/sbin/vgchange"])
      expect(tool(files, name)).toMatchObject([
        {
          why: `the tool ${name}`,
          programs: ["/usr/sbin/vgchange", "/usr/sbin/lvm"],
          files: ["/etc/lvm/lvm.conf"],
        },
      ]);
  });
  test("two names of one tool are one part", () => {
    const files = { "sbin/e2fsck": ELF, "sbin/fsck.ext4": "-> e2fsck" };
    expect(tool(files, "fsck.ext4", "e2fsck").map(({ programs }) => programs)).toEqual([
      ["/sbin/e2fsck", "/sbin/fsck.ext4"],
    ]);
  });
  test("what is not there is a sentence with a way out", () => {
    expect(failure("mdadm")).toEqual([
      "The program mdadm is not in ROOT.",
      "Install it (Debian's package is mdadm), or leave the tool out.",
    ]);
    expect(failure("fsck.btrfs")[0]).toBe("The program fsck.btrfs is not in ROOT.");
    expect(failure("mdadmm")[1]).toBe("Did you mean mdadm? Otherwise install the package that has it.");
    expect(failure("/usr/bin/nothing-like-it")[1]).toBe("Install the package that has it, or leave it out.");
    expect(failure("")[0]).toContain("There is no program");
  });
  test("every name stands once in the table, and every pattern is absolute", () => {
    const names = RECIPES.flatMap((recipe) => recipe.names);
    expect(names.length).toBe(new Set(names).size);
    for (const name of names) expect(findRecipe(name)?.names).toContain(name);
    for (const { files = [], libraries = [], libraryData = [] } of RECIPES) {
      expect(files.every((pattern) => pattern.startsWith("/"))).toBe(true);
      expect([...libraries, ...libraryData].some((pattern) => pattern.startsWith("/"))).toBe(false);
    }
  });
});

describe("mdadm", () => {
  const conf =
    "MAILADDR x\nARRAY a UUID=00112233:44556677:8899aabb:ccddeeff\nARRAY b UUID=ffeeddcc:bbaa9988:77665544:33221100\n";
  const files = { "sbin/mdadm": ELF, "etc/mdadm/mdadm.conf": conf };
  test("its configuration is reduced to the arrays that matter", () => {
    const [part] = toolParts(tree(files), ["mdadm"], { arrays: ["00112233445566778899aabbccddeeff"] });
    expect(part?.made?.map(({ to, data }) => [to, Buffer.from(data).toString()])).toEqual([
      ["/etc/mdadm/mdadm.conf", "ARRAY a UUID=00112233:44556677:8899aabb:ccddeeff\n"],
    ]);
    expect(tool(files, "mdadm")[0]?.made?.[0]?.data.length).toBe(conf.length - "MAILADDR x\n".length);
  });
  test("where it names owners, the image has accounts, and no password", () => {
    const owned = {
      ...files,
      "etc/mdadm/mdadm.conf": "CREATE mode=0660\n group=disk\n",
      "etc/group": "disk:x:6:me\nx:x:7:\n",
    };
    const made = new Map(
      tool(owned, "mdadm")[0]?.made?.map(({ to, data }) => [to, Buffer.from(data).toString()]),
    );
    expect(made.get("/etc/passwd")).toBe("root:*:0:0:root:/root:/bin/sh\n");
    expect(made.get("/etc/group")).toBe("disk:x:6:\n");
  });
});

describe("cryptsetup", () => {
  const lib = "usr/lib/x86_64-linux-gnu";
  const files: Files = {
    "sbin/cryptsetup": ELF,
    [`${lib}/ossl-modules/legacy.so`]: ELF,
    [`${lib}/cryptsetup/libcryptsetup-token-systemd-tpm2.so`]: ELF,
    [`${lib}/cryptsetup/libcryptsetup-token-systemd-pkcs11.so`]: ELF,
    [`${lib}/cryptsetup/libcryptsetup-token-other.so`]: ELF,
    "usr/lib/ssl/openssl.cnf": "-> /etc/ssl/openssl.cnf",
    "etc/ssl/openssl.cnf": "[x]\n.include /etc/ssl/more.cnf\n .include = /etc/ssl/conf.d\n.include /none\n",
    "etc/ssl/more.cnf": ".include /etc/ssl/openssl.cnf\n",
    "etc/ssl/conf.d/a.cnf": "",
  };
  const plugins = (more: Files) =>
    tool({ ...files, ...more }, "cryptsetup")[0]?.programs?.map((path) =>
      path.slice(path.lastIndexOf("/") + 1),
    );

  test("OpenSSL's module and its configuration, with what that includes", () => {
    const [part] = tool(files, "cryptsetup");
    expect(part?.programs).toContain("/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so");
    expect(part?.files).toEqual([
      "/usr/lib/ssl/openssl.cnf",
      "/etc/ssl/more.cnf",
      "/etc/ssl/conf.d/a.cnf",
      "/etc/ssl/openssl.cnf",
    ]);
  });
  test("a token plugin comes with all that it opens, or not at all", () => {
    expect(plugins({})).toEqual(["cryptsetup", "legacy.so", "libcryptsetup-token-other.so"]);
    const tss: Files = Object.fromEntries(
      ["esys.so.0", "rc.so.0", "mu.so.0", "tcti-device.so.0"].map((name) => [`${lib}/libtss2-${name}`, ELF]),
    );
    expect(plugins(tss)).toEqual([
      ...["cryptsetup", "legacy.so", "libcryptsetup-token-other.so", "libcryptsetup-token-systemd-tpm2.so"],
      ...["libtss2-esys.so.0", "libtss2-rc.so.0", "libtss2-mu.so.0", "libtss2-tcti-device.so.0"],
    ]);
    expect(tool({ ...files, ...tss }, "cryptsetup")[0]?.modulesIfThere).toContain("tpm_crb");
    expect(tool(files, "cryptsetup")[0]?.modulesIfThere).not.toContain("tpm_crb");
  });
  test("a library for another machine does not count", () => {
    const foreign = { [`${lib}/ossl-modules/legacy.so`]: makeElf({ bits: 32, machine: 3 }) };
    expect(plugins(foreign)).not.toContain("legacy.so");
  });
});

describe("dropbear", () => {
  const files = { "usr/sbin/dropbear": ELF, "etc/dropbear/dropbear_rsa_host_key": "the system's own" };
  test("brings an account and none of the system's keys", () => {
    const [part] = tool(files, "dropbear");
    expect(part?.made?.map(({ to }) => to)).toEqual([
      ...["/etc/passwd", "/etc/group", "/etc/shells", "/etc/nsswitch.conf"],
    ]);
  });
  test("root's shell is the unlocking where that is asked for, for mdadm's names too", () => {
    const owned = { ...files, "sbin/mdadm": ELF, "etc/mdadm.conf": "CREATE group=disk\n" };
    const parts = toolParts(tree(owned), ["dropbear", "mdadm"], { isUnlockedBySsh: true });
    const passwd = parts.map(({ made }) => made?.find(({ to }) => to === "/etc/passwd")?.data.toString());
    expect(passwd).toEqual(Array(2).fill("root:*:0:0:root:/root:/bin/unlock\n"));
    const shells = parts[0]?.made?.find(({ to }) => to === "/etc/shells")?.data.toString();
    expect(shells).toContain("\n/bin/unlock\n");
  });
  test("the plugin for files comes along where the C library is older than 2.34", () => {
    const lib = { "lib/libnss_files.so.2": ELF };
    const old = { ...files, ...lib, "lib/libc.so.6": ELF };
    expect(tool(old, "dropbear")[0]?.programs).toContain("/lib/libnss_files.so.2");
    const libc = Buffer.concat([ELF, Buffer.from("\0_nss_files_getpwnam_r\0")]);
    expect(tool({ ...old, "lib/libc.so.6": libc }, "dropbear")[0]?.programs).toEqual(["/usr/sbin/dropbear"]);
  });
});

test("terminals are taken from where ncurses finds them first", () => {
  const files = {
    "bin/bash": ELF,
    "lib/terminfo/l/linux": "1",
    "usr/share/terminfo/l/linux": "2",
    "usr/share/terminfo/x/xterm": "3",
    "usr/share/terminfo/z/zz": "4",
  };
  expect(tool(files, "bash")[0]?.files).toEqual(["/lib/terminfo/l/linux", "/usr/share/terminfo/x/xterm"]);
  expect(tool({ "bin/bash": ELF }, "bash")[0]?.notes?.[0]).toContain("ncurses-base");
});

describe("looking around", () => {
  const root = tree({
    "usr/bin/a": ELF,
    "sbin/a": ELF,
    "etc/x/1.conf": "",
    "etc/x/2.conf": "",
    "etc/x/.3.conf": "",
    "etc/y/1.conf": "",
    "etc/ld.so.conf": "/opt/lib\n",
    "opt/lib/libone.so": ELF,
    "lib/libc.so.6": ELF,
  });
  test("a program by the order of the path", () => {
    expect(findProgram(root, "a")).toBe("/usr/bin/a");
    expect(findProgram(root, "/sbin/a")).toBe("/sbin/a");
    // Somebody's own build comes before the distribution's, and process 1 must look for it there as well.
    const own = findProgram(new MemoryTree({ "usr/local/sbin/a": "", "usr/sbin/a": "" }), "a") ?? "";
    expect(own).toBe("/usr/local/sbin/a");
    expect(toolEnvironment["PATH"]?.split(":")).toContain(dirname(own));
    expect(findProgram(root, "b")).toBeUndefined();
    expect(findProgram(root, "/etc")).toBeUndefined();
  });
  test("files by patterns in any component; hidden ones only by a dot", () => {
    expect(findFiles(root, "/etc/[xy]/*.conf")).toEqual(["/etc/x/1.conf", "/etc/x/2.conf", "/etc/y/1.conf"]);
    expect(findFiles(root, "/etc/x/.*")).toEqual(["/etc/x/.3.conf"]);
    expect(findFiles(root, "/etc/z/*")).toEqual([]);
    expect(findFiles(root, "/etc/x/1.conf")).toEqual(["/etc/x/1.conf"]);
  });
  test("a library that only ld.so.cache would find gets a link where ld.so looks by itself", () => {
    expect(findLibraryFiles(root, "/sbin/a", ["libone.so"])).toEqual({
      paths: ["/opt/lib/libone.so"],
      links: [{ path: "/lib/libone.so", target: "/opt/lib/libone.so" }],
    });
    expect(findLibraryFiles(root, "/etc/hostname", ["libone.so"])).toEqual({ paths: [], links: [] });
  });
});
