/** A command line that was written for dracut boots as it is, and says what of it has no meaning here. */

import { expect, test } from "bun:test";
import { TEST_MS, bootRdinit, expectSaid, probeDisk, probed, said } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

test(
  "its switches, its old names, what systemd reads, and a label with blanks, quotes and a slash",
  async () => {
    const label = "  rdinit=/bin/sh";
    const machine = await bootRdinit("dracut-words", {
      append:
        `"root=LABEL=${label}" ro quiet rd.info rd.auto rd.retry=20 rd.luks.crypttab=0 rd.hostonly=0 rd.plymouth=0 ` +
        "rd.udev.log_level=debug rd.systemd.unit=x.target systemd.unit=multi-user.target systemd.debug-shell " +
        "rd.multipath=default rd_NO_MDADMCONF rd.skipfsck rd.timeout=bad console=ttyS0 splash -- last",
      disks: [{ file: await probeDisk(temporaryDirectory(), { label }) }],
    });
    const listing = await probed(machine);
    expect(listing.get("mount./.source")).toBe("/dev/vda");
    const complaints = said(machine).filter((words) => / is ignored: | counts as /.test(words));
    expect(complaints).toEqual([
      "rd_NO_MDADMCONF counts as rd.md.conf=0, which is its name now.",
      "rd.multipath=default on the command line is ignored: multipath is not there: of several paths to a disk the " +
        "first is used.",
      "rd.timeout=bad on the command line is ignored: it is not a number of seconds. Usage: rd.timeout=SECONDS.",
    ]);
    // A step, which quiet alone would hide.
    expectSaid(machine, ["mounted /dev/vda (ext4) as the root, read-only"]);
    expect([1, 2, 3].map((at) => listing.get(`argv.${at}`))).toEqual(["rd_NO_MDADMCONF", "splash", "last"]);
  },
  TEST_MS,
);
