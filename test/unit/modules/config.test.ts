import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { readConfig, type ModuleConfig } from "../../../src/modules/config.ts";
import { readModprobeDirectories } from "../../../src/modules/directories.ts";
import { SysError } from "../../../syscalls/error.ts";

function config(text: string, commandLine = ""): ModuleConfig {
  return readConfig([{ name: "a.conf", text }], parseCommandLine(commandLine));
}

test("comments, empty lines and continued lines are read as modprobe.d(5) says", () => {
  const { options, blacklist, notes } = config(
    "# nothing\n\n  options snd-hda power=1 \\\n  debug=0\nblacklist nou-veau\n\toptions snd_hda more\n",
  );
  expect([...options]).toEqual([["snd_hda", "power=1   debug=0 more"]]);
  expect([...blacklist]).toEqual(["nou_veau"]);
  expect(notes).toEqual([]);
});

test("softdep and weakdep name their modules", () => {
  const { pre, post, weak } = config(
    "softdep ext4 pre: crypto-crc32c a post: b\nsoftdep cifs gcm\nweakdep snd-soc x y\n",
  );
  expect([...pre]).toEqual([["ext4", ["crypto-crc32c", "a"]]]);
  expect([...post]).toEqual([["ext4", ["b"]]]);
  expect([...weak]).toEqual([["snd_soc", ["x", "y"]]]);
});

test("install to nothing forbids a module, and any other command is only named", () => {
  const { never, notes } = config(
    "install dccp /bin/true\ninstall sctp /bin/false\ninstall rds /usr/bin/true # why\ninstall fred rm -rf /\nremove fred rm -rf /\n",
  );
  expect([...never.keys()]).toEqual(["dccp", "sctp", "rds"]);
  expect(never.get("dccp")).toBe('"install dccp /bin/true" says never to load it');
  expect(notes).toEqual([
    'a.conf: the command to install fred ("rm -rf /") is not run: modules are only ever loaded.',
  ]);
});

test("aliases are patterns", () => {
  expect(config("alias my-mod* really-long\nalias net-pf-10 off\n").aliases).toEqual([
    { pattern: "my_mod*", module: "really_long" },
    { pattern: "net_pf_10", module: "off" },
  ]);
});

test("a line that is no command is named and left out", () => {
  expect(config("include /etc/x\nblacklist\n").notes).toEqual([
    'a.conf: "include" is no command of modprobe.d and its line is left out.',
    'a.conf: "blacklist" lacks a module and is left out.',
  ]);
});

test("the command line gives parameters, with quotes where they are needed", () => {
  const { options } = config(
    "options usbcore a=1",
    'usbcore.autosuspend=-1 usb-storage.quirks=0781:5580:u ro x.debug "parport.dyndbg=file a.c +p" a.b.c=1 root=/dev/sda1 -- not.this=1',
  );
  expect([...options]).toEqual([
    ["usbcore", "a=1 autosuspend=-1"],
    ["usb_storage", "quirks=0781:5580:u"],
    ["x", "debug"],
    ["parport", 'dyndbg="file a.c +p"'],
  ]);
});

test("the command line forbids and orders modules", () => {
  const { blacklist, never, first, last } = config(
    "",
    "modprobe.blacklist=a-b,c rd.driver.blacklist=d module_blacklist=e,f-g rd.driver.pre=h,i-j rd.driver.pre=k rd.driver.post=l",
  );
  expect([...blacklist]).toEqual(["a_b", "c", "d"]);
  expect([...never.keys()]).toEqual(["e", "f-g"]);
  expect(first).toEqual(["h", "i_j", "k"]);
  expect(last).toEqual(["l"]);
});

test("modprobe.d's files are read by name, of two alike that of /etc, and only *.conf", () => {
  const tree: Record<string, string> = {
    "/etc/modprobe.d/b.conf": "etc b",
    "/lib/modprobe.d/b.conf": "lib b",
    "/lib/modprobe.d/a.conf": "lib a",
    "/etc/modprobe.d/README": "no",
  };
  const files = readModprobeDirectories({
    list: (path) => {
      const names = Object.keys(tree).filter((file) => file.startsWith(`${path}/`));
      if (names.length === 0) throw new SysError("openat", 2, "ENOENT", "no such file or directory", path);
      return names.map((file) => ({ name: file.slice(path.length + 1), type: "file" as const }));
    },
    readTextIfThere: (path) => tree[path],
  });
  expect(files).toEqual([
    { name: "/lib/modprobe.d/a.conf", text: "lib a" },
    { name: "/etc/modprobe.d/b.conf", text: "etc b" },
  ]);
});
