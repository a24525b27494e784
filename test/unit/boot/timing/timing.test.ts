import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import type { Boot } from "../../../../src/boot/context.ts";
import { noteDevice } from "../../../../src/boot/timing/devices.ts";
import { Recorder, startTiming } from "../../../../src/boot/timing/recorder.ts";
import { saveTiming, timingFile } from "../../../../src/boot/timing/save.ts";
import { readTimingSettings } from "../../../../src/boot/timing/settings.ts";
import { type Timing, noTiming } from "../../../../src/boot/timing/timing.ts";
import { waitInTheOpen } from "../../../../src/boot/wait.ts";
import { parseRecord } from "../../../../src/chart/parse.ts";
import type { Entry } from "../../../../src/chart/record.ts";
import { type FakeKernel, fakeKernel } from "../../../../syscalls/fake.ts";
import { AT_FDCWD, exists, readText } from "../../../../syscalls/index.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

/** A recorder whose clock goes on by a millisecond at each look. */
function ticking(): Recorder {
  let now_us = 1_000_000;
  return new Recorder(() => (now_us += 1000), {
    kernel: "6.1.0",
    line: "root=/dev/vda quiet",
    init_us: 1_000_000,
  });
}

function isOn(line: string): boolean {
  return readTimingSettings(parseCommandLine(line)).on;
}

function machine(mounted = true): FakeKernel {
  return fakeKernel({ rootfs: { run: {} }, mounts: mounted ? [{ at: "/run", type: "tmpfs" }] : [] });
}

function bootWith({ sys }: Pick<FakeKernel, "sys">, timing: Timing): { boot: Boot; lines: string[] } {
  const { boot, lines } = bootOn(sys, "");
  return { boot: { ...boot, timing }, lines };
}

function entriesOf(timing: Timing): readonly Entry[] {
  return timing.record("done")?.entries ?? [];
}

test("rd.timing is off unless it is asked for, and the last word counts", () => {
  expect(["", "rd.timing", "rd.timing=1", "rd.timing=0", "rd.timing rd.timing=no"].map(isOn)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(readTimingSettings(parseCommandLine("rd.timing=maybe")).complaints).toEqual([
    "rd.timing=maybe is ignored: it is neither 0 nor 1. Usage: rd.timing[=0|1].",
  ]);
});

describe("off", () => {
  test("a step is done and nothing kept", async () => {
    expect(noTiming.step("a step", () => 7)).toBe(7);
    noTiming.mark("device", "vda");
    noTiming.begin("child", "mdadm").ends("status 0");
    expect(noTiming.record("done")).toBeUndefined();
    expect(startTiming(fakeKernel().sys, [], { line: "", started_ns: 1n, program_ms: 1 })).toBe(noTiming);
  });
});

describe("on", () => {
  test("the way to the first line of the program is known, on the kernel's clock", () => {
    const kernel = fakeKernel();
    const since_ns = kernel.sys.boottime() - BigInt(Math.round(performance.now() * 1e6));
    const words = parseCommandLine("rd.timing");
    const timing = startTiming(kernel.sys, words, {
      line: "rd.timing",
      started_ns: since_ns - 5_000_000n,
      program_ms: 3,
    });
    const steps = entriesOf(timing);
    expect(steps.map(({ name }) => name)).toEqual([
      "the entry stub and the loader",
      "the runtime starts",
      "reading the parameters",
      "beginning this record",
    ]);
    for (const [at, step] of steps.entries()) expect(step.from_us).toBe(steps[at - 1]?.to_us ?? step.from_us);
  });

  test("steps keep when they began and ended, also those that fail", async () => {
    const timing = ticking();
    expect(timing.step("first", () => timing.step("within", () => "made"))).toBe("made");
    expect(await timing.step("later", async () => "at last")).toBe("at last");
    expect(() =>
      timing.step("bad", () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    await expect(timing.step("worse", async () => Promise.reject(new Error("never")))).rejects.toThrow(
      "never",
    );
    expect(entriesOf(timing)).toEqual([
      { lane: "step", name: "first", from_us: 1_001_000, to_us: 1_004_000 },
      { lane: "step", name: "within", from_us: 1_002_000, to_us: 1_003_000 },
      { lane: "step", name: "later", from_us: 1_005_000, to_us: 1_006_000 },
      { lane: "step", name: "bad", note: "failed", from_us: 1_007_000, to_us: 1_008_000 },
      { lane: "step", name: "worse", note: "failed", from_us: 1_009_000, to_us: 1_010_000 },
    ]);
  });

  test("what waits for its turn, takes no time or has not ended is told from the rest", () => {
    const timing = ticking();
    const queued = timing.queue("module", "ext4");
    timing.mark("device", "vda", "was there");
    queued.starts();
    timing.begin("person", "Passphrase for vda2:");
    queued.ends("ENOEXEC");
    expect(entriesOf(timing)).toEqual([
      {
        lane: "module",
        name: "ext4",
        note: "ENOEXEC",
        asked_us: 1_001_000,
        from_us: 1_003_000,
        to_us: 1_005_000,
      },
      { lane: "device", name: "vda", note: "was there", from_us: 1_002_000, to_us: 1_002_000 },
      { lane: "person", name: "Passphrase for vda2:", from_us: 1_004_000 },
    ]);
  });

  test("what never gets its turn is asked for and takes no time", () => {
    const timing = ticking();
    timing.queue("module", "libata").ends("left to the real system");
    timing.queue("module", "ahci");
    expect(entriesOf(timing)).toEqual([
      {
        lane: "module",
        name: "libata",
        note: "left to the real system",
        asked_us: 1_001_000,
        from_us: 1_002_000,
        to_us: 1_002_000,
      },
      {
        lane: "module",
        name: "ahci",
        note: "not begun",
        asked_us: 1_003_000,
        from_us: 1_004_000,
        to_us: 1_004_000,
      },
    ]);
  });

  test("devices are marked that a person looks for", () => {
    const timing = ticking();
    const event = (action: string, devpath: string, values: Record<string, string>): void =>
      noteDevice(timing, { action, devpath, values: new Map(Object.entries(values)) });
    event("add", "/devices/pci0/virtio1/block/vda", { SUBSYSTEM: "block" });
    event("add", "/devices/virtual/bdi/254:0", { SUBSYSTEM: "bdi" });
    event("bind", "/devices/pci0/virtio1", { SUBSYSTEM: "virtio", DRIVER: "virtio_blk" });
    event("change", "/devices/virtual/block/dm-0", { SUBSYSTEM: "block", DM_NAME: "vg-root" });
    event("change", "/devices/pci0/virtio1/block/vda", { SUBSYSTEM: "block" });
    event("add", "/devices/pci0/net/eth0", { SUBSYSTEM: "net" });
    event("remove", "/devices/pci0/virtio1/block/vda", { SUBSYSTEM: "block" });
    expect(entriesOf(timing).map(({ lane, name, note }) => [lane, name, note])).toEqual([
      ["device", "vda", undefined],
      ["device", "virtio1", "virtio_blk"],
      ["device", "dm-0", "vg-root"],
      ["network", "eth0", undefined],
    ]);
  });

  test("a wait is kept with what it is for and how it ended", async () => {
    const timing = ticking();
    const boot: Boot = { ...bootOn(fakeKernel().sys, "").boot, timing };
    const wait = (
      found: (string | undefined)[],
      ...words: (string | undefined)[]
    ): Promise<string | undefined> =>
      waitInTheOpen(boot, {
        look: async () => found.shift(),
        changed: () => Promise.resolve(),
        describe: async () => (words.length > 0 ? words.shift() : "waiting for the root /dev/vda"),
        timeout_ms: 20,
      });
    // Nothing is kept of one that finds what it is for at once.
    expect(await wait(["vda"])).toBe("vda");
    expect(await wait([undefined, undefined, "vda"])).toBe("vda");
    expect(await wait([])).toBeUndefined();
    // Nor of one that has no word, until it has.
    expect(await wait([undefined, "vda"], undefined)).toBe("vda");
    expect(await wait([undefined, undefined, "vda"], undefined, "waiting for late")).toBe("vda");
    expect(entriesOf(timing).map(({ name, note }) => [name, note])).toEqual([
      ["the root /dev/vda", undefined],
      ["the root /dev/vda", "in vain"],
      ["late", undefined],
    ]);
  });

  test("no number of devices makes the record endless", () => {
    const timing = ticking();
    for (let count = 0; count < 20_010; count++) timing.mark("device", `sd${count}`);
    expect(timing.record("done")).toMatchObject({ left_out: 10 });
    expect(entriesOf(timing)).toHaveLength(20_000);
  });
});

describe("the file", () => {
  test("reads back as it was kept, whatever stands in a name", () => {
    const kernel = machine();
    const timing = ticking();
    timing.mark("device", 'a"b\\c\n</svg>é', "x".repeat(1000));
    saveTiming(bootWith(kernel, timing).boot, "handing over to /sbin/init");
    const content = readText(kernel.sys, timingFile);
    const record = parseRecord(Buffer.from(content, "latin1").toString("utf8"), "it");
    expect(record.entries).toMatchObject([{ lane: "device", name: 'a"b\\c?</svg>é' }]);
    expect(record.entries[0]?.note).toHaveLength(240);
    expect(record.outcome).toBe("handing over to /sbin/init");
    expect(kernel.sys.stat(AT_FDCWD, timingFile).mode & 0o777).toBe(0o644);
    // A boot that is tried again writes it anew.
    saveTiming(bootWith(kernel, ticking()).boot, "handing over to /sbin/init");
    expect(parseRecord(readText(kernel.sys, timingFile), "it").entries).toEqual([]);
  });

  test("is not there without rd.timing, and never on a disk", () => {
    for (const [kernel, timing] of [
      [machine(), noTiming],
      [machine(false), ticking()],
    ] as const) {
      saveTiming(bootWith(kernel, timing).boot, "done");
      expect(exists(kernel.sys, "/run/rdinit")).toBe(false);
    }
  });

  test("that can't be written costs a warning and no more", () => {
    const kernel = machine();
    const sys = intercept(kernel.sys, (call, proceed) => {
      if (call.name === "write") throw refusalOf(call.name, call.args, "ENOSPC");
      return proceed();
    });
    const { boot, lines } = bootWith({ sys }, ticking());
    saveTiming(boot, "done");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("warning: /run/rdinit/timing.json can't be written: ");
  });
});
