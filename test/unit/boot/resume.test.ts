import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { Resume, readResumeSettings } from "../../../src/boot/resume.ts";
import type { Found } from "../../../src/probe/superblock.ts";
import { attribute, fakeKernel } from "../../../syscalls/fake.ts";
import { refusalOf } from "../../../syscalls/methods.ts";
import { type DeviceRef, describeRef } from "../../../src/boot/devices/deviceref.ts";
import { fromBytes } from "../../../src/lib/bytes.ts";
import { DisksInMemory, bootOn, diskWith, noLayers } from "../../fixtures/disks-in-memory.ts";

const swap: Found = { type: "swap", usage: "other", uuid: "5555" };
const asleep: Found = { ...swap, type: "swsuspend" };

/** What a write to an attribute of this name answers. */
type Answer = (name: string) => void;
const allow: Answer = () => undefined;
const refuseDevice: Answer = (name) => {
  if (name === "resume") throw refusalOf("write", [], "EINVAL");
};
const err: Answer = () => {
  throw new TypeError("x is undefined");
};

async function resuming(
  line: string,
  found: Found | undefined,
  { able = true, times = 1, refuse = allow } = {},
) {
  const writes: string[] = [];
  const control = (name: string) =>
    attribute(
      () => "0:0\n",
      (bytes) => {
        refuse(name);
        writes.push(`${name} ${fromBytes(bytes)}`);
      },
    );
  const kernel = fakeKernel({
    rootfs: { sys: {} },
    mounts: [{ at: "/sys", type: "sysfs" }],
    sysfs: able ? { power: { resume: control("resume"), resume_offset: control("offset") } } : {},
  });
  const { boot, lines } = bootOn(kernel.sys, line);
  const disks = new DisksInMemory(kernel.sys, [diskWith("vdb", "254:16", found)]);
  const resume = new Resume();
  const needed: string[] = [];
  const layers = { ...noLayers, need: (ref: DeviceRef) => void needed.push(describeRef(ref)) };
  for (let time = 0; time < times; time++) await resume.attempt(boot, disks, layers);
  const open = kernel.calls.filter(({ name }) => name === "open").length;
  const closed = kernel.calls.filter(({ name }) => name === "close").length;
  return { writes, lines, needed, left: open - closed };
}

describe("resume=", () => {
  test("gives the kernel the device that holds a hibernated system, once", async () => {
    const { writes, lines, needed, left } = await resuming("resume=UUID=5555", asleep, { times: 2 });
    expect(writes).toEqual(["resume 254:16"]);
    expect([needed, left]).toEqual([[], 0]);
    expect(lines).toEqual([
      "notice: waking the hibernated system on /dev/vdb",
      "warning: the kernel found no hibernated system on /dev/vdb that it could wake; starting afresh.",
    ]);
  });

  test("is not hindered by what else hibernate= says", async () =>
    expect((await resuming("hibernate=nocompress resume=/dev/vdb", asleep)).writes).toHaveLength(1));

  test("goes on at once when the swap holds none, or is none", async () => {
    expect(await resuming("resume=/dev/vdb", swap)).toMatchObject({
      writes: [],
      lines: ["info: /dev/vdb holds no hibernated system."],
    });
    const ext4: Found = { type: "ext4", usage: "filesystem" };
    expect((await resuming("resume=/dev/vdb", ext4)).lines).toEqual([
      "warning: /dev/vdb of resume= is no swap, but ext4; starting afresh.",
    ]);
    expect((await resuming("resume=/dev/vdb", undefined)).lines).toEqual([
      "warning: /dev/vdb of resume= is no swap; starting afresh.",
    ]);
  });

  test("with an offset leaves the search in the file to the kernel", async () => {
    const { writes, lines } = await resuming("resume=/dev/vdb resume_offset=34816", {
      type: "ext4",
      usage: "filesystem",
    });
    expect(writes).toEqual(["offset 34816", "resume 254:16"]);
    expect(lines[0]).toBe("notice: looking for a hibernated system on /dev/vdb, from page 34816");
  });

  test("whose system the kernel can't take is told, and the boot goes on", async () => {
    const { writes, lines, left } = await resuming("resume=/dev/vdb resume_offset=8", asleep, {
      refuse: refuseDevice,
    });
    expect(writes).toEqual(["offset 8"]);
    expect(lines[1]).toMatch(
      /^warning: the system on \/dev\/vdb can't be woken: .*EINVAL.*\. Starting afresh\.$/,
    );
    expect(left).toBe(0);
    expect((await resuming("resume=/dev/vdb", asleep, { refuse: err })).lines.at(-1)).toBe(
      "warning: no hibernated system is woken: x is undefined.",
    );
  });

  test("on a volume has that put together, which the root may not need", async () => {
    const { needed } = await resuming("resume=/dev/vg/swap rd.timeout=0.001", asleep);
    expect(needed).toEqual(["/dev/vg/swap"]);
  });

  test("names a device that does not appear, or a kernel that can't: a word, and the boot goes on", async () => {
    expect((await resuming("resume=/dev/vdx rd.timeout=0.001", swap)).lines).toEqual([
      "warning: /dev/vdx of resume= did not appear; starting afresh.",
    ]);
    expect((await resuming("resume=/dev/vdb", asleep, { able: false })).lines).toEqual([
      "warning: resume= is of no use: this kernel can't hibernate (it lacks CONFIG_HIBERNATION).",
    ]);
  });

  for (const line of [
    "",
    "noresume resume=/dev/vdb",
    "resume=/dev/vdb noresume",
    "resume=/dev/vdb hibernate=noresume",
    "resume=/dev/vdb hibernate=no",
    "resume=",
    "resume=none",
  ])
    test(`is not there: ${JSON.stringify(line)}`, async () =>
      expect(await resuming(line, asleep)).toMatchObject({ writes: [], lines: [], needed: [] }));

  test("that is empty, or none, is what distributions write, and no fault", () => {
    for (const line of ["resume=", "resume=none"])
      expect(readResumeSettings(parseCommandLine(line)).complaints).toEqual([]);
  });

  test("that makes no sense is told", () => {
    const { settings, complaints } = readResumeSettings(parseCommandLine("resume=swap resume_offset=1k"));
    expect(settings).toEqual({ device: undefined, offset: undefined });
    expect(complaints).toEqual([
      "resume= is ignored: swap is neither a path below /dev nor LABEL=, UUID=, PARTUUID= or PARTLABEL=.",
      "resume_offset=1k is ignored: it is not a number of pages.",
    ]);
  });
});
