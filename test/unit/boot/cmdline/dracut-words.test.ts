import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { judgeDracutWord } from "../../../../src/boot/cmdline/dracut-words.ts";
import { readParameters } from "../../../../src/boot/cmdline/packed.ts";
import { readFsckSettings } from "../../../../src/boot/fsck/settings.ts";
import { readLuksSettings } from "../../../../src/boot/storage/luks-settings.ts";
import { readMdSettings } from "../../../../src/boot/storage/md-settings.ts";
import { subsystemParameters } from "../../../../src/boot/cmdline/subsystems.ts";
import { parameters } from "../../../../src/boot/cmdline/parameters.ts";

const complaints = (line: string): readonly string[] => readParameters(line, undefined).complaints;
const options = (line: string) => readParameters(line, undefined).options;

describe("words of dracut.cmdline(7)", () => {
  test.each([
    "rd.auto",
    "rd.auto=1",
    "rd.hostonly=0",
    "rd.plymouth=0",
    "rd.udev.log_level=debug",
    "rd.udev.log-priority=info",
    "rd.systemd.unit=initrd.target",
    "rd.systemd.debug_shell",
    "rd.dm=0",
    "rd.multipath=0",
    "rd.md.imsm=0",
    "rd.fcoe=0",
    "rd.nonvmf",
    "rd.lvm.conf=1",
    "rd.live.debug=1",
    "rd.iscsi.waitnet=0",
    "systemd.unit=rescue.target",
    "systemd.debug-shell",
  ])("%s is nothing to speak of", (word) => {
    expect(complaints(word)).toEqual([]);
  });

  test.each([
    ["rd.auto=0", "what the root needs is put together without being named"],
    ["rd.multipath=default", "multipath is not there"],
    ["rd.dm.uuid=isw_x", "dmraid is not there."],
    ["rd.md.waitclean=1", "a resync goes on while the system starts"],
    ["rd.luks.serial=abc", "encrypted volumes are named by their own UUID: rd.luks.uuid=."],
    ["rd.nvmf.discover=tcp,192.0.2.1,,4420", "NVMe over a network is not there."],
    ["fcoe=edd:dcb", "Fibre Channel over Ethernet is not there."],
    ["rd.iscsi.mp", "multipath is not there"],
    ["rd.vconsole.keymap=de", "the keyboard's layout and the font are those of the image"],
    ["rootfallback=/dev/sdb1", "there is but one root"],
    ["rd.overlay.crypt=LABEL=x", "no encrypted overlay is made"],
    ["rd.zfcp=0.0.4000", "it is for mainframes."],
    ["rd.live.check", "the medium is not checked."],
  ])("%s gets its sentence: %s", (word, why) => {
    expect(complaints(word)).toHaveLength(1);
    expect(complaints(word)[0]).toStartWith(`${word} on the command line is ignored: ${why}`);
  });

  test("what rdinit reads itself is none of them", () => {
    for (const { name } of [...parameters, ...subsystemParameters])
      expect([name, judgeDracutWord({ name, value: "x" })]).toEqual([name, undefined]);
  });
});

describe("old names", () => {
  test("count as those of now, and are told; a password is not shown", () => {
    const { words, complaints: told } = readParameters(
      "rd_NO_MD rd_NO_LVM=0 rd_LUKS_UUID=luks-11fe4d0e rdshell=0 rdbreak=mount iscsi_password=secret rd_retry=7",
      undefined,
    );
    expect(words).toEqual(
      parseCommandLine(
        "rd.md=0 rd.lvm=1 rd.luks.uuid=luks-11fe4d0e rd.shell=0 rd.break=mount rd.iscsi.password=secret rd.retry=7",
      ),
    );
    expect(told[0]).toBe("rd_NO_MD counts as rd.md=0, which is its name now.");
    expect(told[1]).toBe("rd_NO_LVM=0 counts as rd.lvm=1, which is its name now.");
    expect(told.join(" ")).not.toContain("secret");
    expect(readMdSettings(words).settings.enabled).toBe(false);
    expect(options("rdbreak rd_retry=7")).toMatchObject({ breakAt: ["cleanup"], deviceTimeout_ms: 7000 });
  });

  test("a newer name behind an old one wins, as the last word always does", () => {
    expect(readMdSettings(readParameters("rd_NO_MD rd.md=1", undefined).words).settings.enabled).toBe(true);
  });
});

describe("dracut's spellings", () => {
  test("rd.break may be given often, also by points that are not here", () => {
    expect(options("rd.break=pre-mount rd.break rd.break=pre-udev rd.break=initqueue").breakAt).toEqual([
      "pre-mount",
      "cleanup",
      "pre-trigger",
    ]);
    expect(complaints("rd.break=nowhere")[0]).toContain("the boot has no such point.");
  });

  test("rd.info and rd.skipfsck", () => {
    expect(options("rd.info quiet")).toMatchObject({ info: true, quiet: true });
    expect(options("rd.info rd.info=0").info).toBe(false);
    expect(readFsckSettings(parseCommandLine("rd.skipfsck")).settings.mode).toBe("skip");
    expect(readFsckSettings(parseCommandLine("rd.skipfsck=0")).settings.mode).toBe("auto");
  });

  test("a volume that holds keys of others is opened as any", () => {
    expect(readLuksSettings(parseCommandLine("rd.luks.uuid=keysource:11fe4d0e")).settings.uuids).toEqual([
      "11fe4d0e",
    ]);
  });
});
