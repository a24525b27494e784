/** An encrypted root whose key takes a quarter of a gigabyte to be derived (argon2id), with that memory and without. */

import { beforeAll, expect, test } from "bun:test";
import { makeDisksInGuest } from "../../qemu/maker.ts";
import { probeRoot } from "../../qemu/probe.ts";
import { bootRdinit, expectSaid, probed, said } from "../../qemu/scenario.ts";
import { ARGON_KIB, LUKS, luksOfArgon } from "../../qemu/storage/luks.ts";
import { STORAGE } from "../../qemu/storage/basic.ts";
import { MAKE_MS, answer } from "../fixtures/encrypted-boot.ts";

const VOLUME = `vda (luks-${LUKS.root})`;
const SLOW_MS = 120_000;
let disk: string;

beforeAll(async () => {
  [disk = ""] = await makeDisksInGuest(luksOfArgon(await probeRoot()));
}, MAKE_MS);

test(
  "is opened where there is enough",
  async () => {
    const machine = await bootRdinit("luks-argon", {
      append: `root=UUID=${STORAGE.filesystem}`,
      disks: [{ file: disk }],
      memory_mb: 1024,
      timeout_ms: SLOW_MS,
      image: { tools: ["cryptsetup"] },
    });
    await answer(machine, LUKS.passphrase);
    await probed(machine);
    expect(said(machine).filter((line) => line.includes("of memory"))).toEqual([]);
  },
  SLOW_MS,
);

test(
  "stays closed where there is not, and that is told before the question and after it",
  async () => {
    const machine = await bootRdinit("luks-argon-small", {
      append: `root=UUID=${STORAGE.filesystem} rd.timeout=2 rd.shell=0 panic=-1`,
      disks: [{ file: disk }],
      memory_mb: 352,
      timeout_ms: SLOW_MS,
      image: { tools: ["cryptsetup"] },
    });
    await answer(machine, LUKS.passphrase);
    await machine.expectEnd("rebooted");
    expectSaid(machine, [
      new RegExp(
        `^vda .* takes up to ${ARGON_KIB / 1024} MiB of memory to be opened, and \\d+ MiB is there; it is tried`,
      ),
      `${VOLUME} can't be opened: cryptsetup was killed by SIGKILL, as the kernel does it when there is no memory left.`,
    ]);
  },
  SLOW_MS,
);
