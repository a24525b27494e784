import { describe, expect, test } from "bun:test";
import { BlockDevices } from "../../../../src/boot/devices/blockdevices.ts";
import {
  PassphraseRefused,
  emergency,
  lastResort,
  namesOf,
  readPanicTimeout,
  whenAskedAgain,
} from "../../../../src/boot/rescue/emergency.ts";
import { UserError } from "../../../../src/lib/errors.ts";
import { type FakeKernel, attribute, fakeKernel } from "../../../../syscalls/fake.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";
import { DisksInMemory, bootOn, diskWith } from "../../../fixtures/disks-in-memory.ts";
import { inVirtualTime, settle } from "../../../fixtures/virtual-time.ts";

function machine(panic: string | undefined): FakeKernel {
  const kernel = panic === undefined ? {} : { panic: attribute(() => `${panic}\n`) };
  return fakeKernel({
    rootfs: { proc: {} },
    mounts: [{ at: "/proc", type: "proc" }],
    proc: { sys: { kernel } },
  });
}

const reboots = (kernel: FakeKernel): number => kernel.calls.filter(({ name }) => name === "reboot").length;

describe("panic= as the kernel has it", () => {
  for (const [written, seconds] of [
    ["0", 0],
    ["30", 30],
    ["-1", -1],
    ["junk", 0],
    ["", 0],
    ["1.5", 0],
    [undefined, 0],
  ] as const)
    test(JSON.stringify(written) ?? "no file", () =>
      expect(readPanicTimeout(machine(written).sys)).toBe(seconds),
    );

  test("no /proc", () => expect(readPanicTimeout(fakeKernel().sys)).toBe(0));
});

describe("the last resort", () => {
  test("with panic=5 the machine restarts after five seconds, synced", async () => {
    await inVirtualTime(async (advance) => {
      const kernel = machine("5");
      const { log, lines } = collectLog();
      void lastResort(kernel.sys, log, new UserError("The hand-over failed."), 5);
      await advance(4999);
      expect(reboots(kernel)).toBe(0);
      await advance(1);
      expect(kernel.calls.slice(-2).map(({ name, args }) => [name, ...args])).toEqual([
        ["sync"],
        ["reboot", "restart"],
      ]);
      expect(lines.slice(0, 3)).toEqual([
        "error: The hand-over failed.",
        "error: Nothing is left that could be tried again.",
        expect.stringMatching(/^error: Rebooting in 5 s/),
      ]);
    });
  });

  test("with a negative panic= at once", async () => {
    const kernel = machine("-1");
    await inVirtualTime(async () => {
      void lastResort(kernel.sys, collectLog().log, new Error("x"), -1);
      await settle();
      expect(reboots(kernel)).toBe(1);
    });
  });

  test("without panic= it waits for ever and never returns, whatever was thrown", async () => {
    await inVirtualTime(async (advance) => {
      for (const thrown of [new TypeError("x is undefined"), "a string", undefined, { message: 1 }]) {
        const kernel = machine("0");
        const { log, lines } = collectLog();
        let over = false;
        const done = (): void => void (over = true);
        lastResort(kernel.sys, log, thrown, 0).then(done, done);
        await advance(100_000_000);
        expect(over).toBe(false);
        expect(reboots(kernel)).toBe(0);
        expect(lines[0]).toStartWith("error: rdinit met an error of its own, please report it: ");
        expect(lines.at(-1)).toContain("waits here for ever");
      }
    });
  });

  test("a machine that can't be restarted waits", async () => {
    await inVirtualTime(async (advance) => {
      const kernel = fakeKernel({ missing: ["reboot"] });
      const { log, lines } = collectLog();
      void lastResort(kernel.sys, log, new UserError("Failed."), 1);
      await advance(1000);
      expect(lines.slice(-2)).toEqual([
        "error: The machine can't be rebooted: reboot: this kernel does not have the call (ENOSYS).",
        "error: The machine waits here for ever. Reset it; boot with panic=SECONDS to have that done.",
      ]);
    });
  });
});

describe("an emergency", () => {
  test("says what failed and what to do, and waits for a device", async () => {
    const kernel = machine("0");
    const { boot, lines } = bootOn(kernel.sys);
    const devices = new BlockDevices(kernel.sys);
    let over = false;
    void emergency(boot, new UserError("No root.", "Add one."), devices, ["pci:v1\n", "virtio:d2"]).then(
      () => (over = true),
    );
    await settle();
    expect(lines).toEqual([
      "error: No root. Add one.",
      "error: The machine has no block device that the kernel knows.",
      "error: No module in this image serves pci:v1\\n, virtio:d2.",
      "error: The image holds no rescue shell.",
      "error: Waiting: when a device appears, the boot is tried again. (panic=SECONDS would reboot instead.)",
    ]);
    expect(over).toBe(false);
    devices.handle({ action: "remove", devpath: "/x/vda", values: new Map([["SUBSYSTEM", "block"]]) });
    await settle();
    expect(over).toBe(true);
  });

  test("tries again at once when a device has appeared since the boot failed", async () => {
    const kernel = machine("0");
    const { boot, lines } = bootOn(kernel.sys);
    const devices = new DisksInMemory(kernel.sys, [diskWith("vda", "254:0", undefined)]);
    const known = namesOf(devices);
    devices.plug(diskWith("vdb", "254:16", undefined));
    await emergency(boot, new UserError("No root."), devices, [], undefined, [], known);
    expect(lines.at(-1)).toBe("notice: vdb has appeared meanwhile: the boot is tried again.");
    // One that was there, and was told of once more, is no reason.
    let over = false;
    void emergency(boot, new UserError("No root."), devices, []).then(() => (over = true));
    await settle();
    expect(over).toBe(false);
  });

  test("of a root on the network says what there is of it, and waits for more or half a minute", async () => {
    const elsewhere = {
      root: "root=nfs:10.0.0.1:/srv",
      byNetwork: true,
      interfaces: ["  eth0 no carrier"],
    };
    await inVirtualTime(async (advance) => {
      const kernel = machine("0");
      const { boot, lines } = bootOn(kernel.sys);
      const more = Promise.withResolvers<string>();
      const attempt = (gained: () => Promise<string>): { over: boolean } => {
        const state = { over: false };
        void emergency(boot, new UserError("No root."), new BlockDevices(kernel.sys), [], {
          ...elsewhere,
          gained,
        }).then(() => (state.over = true));
        return state;
      };
      const first = attempt(() => more.promise);
      await settle();
      expect(lines).toEqual([
        "error: No root.",
        "error: The root is on the network (root=nfs:10.0.0.1:/srv). Network interfaces:",
        "error:   eth0 no carrier",
        "error: The image holds no rescue shell.",
        "error: Waiting: when a device or more of the network appears, or else in 30 s, as the server may answer then, " +
          "the boot is tried again. (panic=SECONDS would reboot instead.)",
      ]);
      expect(first.over).toBe(false);
      more.resolve("eth0 has a carrier");
      await settle();
      expect(first.over).toBe(true);
      expect(lines.at(-1)).toBe("notice: eth0 has a carrier: the boot is tried again.");
      const second = attempt(() => new Promise(() => undefined));
      await settle();
      await advance(29_999);
      expect(second.over).toBe(false);
      await advance(1);
      expect(second.over).toBe(true);
      expect(lines.at(-1)).toBe("notice: 30 s are over: the boot is tried again.");
    });
  });

  test("an error of our own is told with its stack", async () => {
    const { boot, lines } = bootOn(machine("0").sys, "rd.shell=0");
    void emergency(boot, new TypeError("undefined is not a function"), new BlockDevices(boot.sys), []);
    await settle();
    expect(lines[0]).toMatch(
      /^error: rdinit met an error of its own.*TypeError: undefined is not a function\n +at /,
    );
    expect(lines).toContain("error: The rescue shell is forbidden by rd.shell=0.");
  });

  test.each([
    ["reboot", "restart"],
    ["poweroff", "power_off"],
    ["halt", "halt"],
  ])("does as rd.emergency=%s says, whatever panic= says, when there is no shell", async (word, action) => {
    await inVirtualTime(async (advance) => {
      const kernel = machine("0");
      const { boot, lines } = bootOn(kernel.sys, `rd.emergency=${word}`);
      void emergency(boot, new UserError("No root."), new BlockDevices(kernel.sys), []);
      await advance(5000);
      expect(kernel.calls.filter(({ name }) => name === "reboot").map(({ args }) => args)).toEqual([
        [action],
      ]);
      expect(lines.join("\n")).toContain(" in 5 s, as rd.emergency= asks.");
    });
  });

  test("gives no shell to who has guessed at a passphrase, unless the command line says so", async () => {
    const refused = new PassphraseRefused("No root.");
    const { boot, lines } = bootOn(machine("0").sys);
    void emergency(boot, refused, new BlockDevices(boot.sys), []);
    await settle();
    expect(lines).toContain(
      "error: No rescue shell is started, as nobody gave the right passphrase; rd.shell=1 would allow it.",
    );
    const allowed = bootOn(machine("0").sys, "rd.shell=1");
    void emergency(allowed.boot, refused, new BlockDevices(allowed.boot.sys), []);
    await settle();
    expect(allowed.lines).toContain("error: The image holds no rescue shell.");
  });

  test("asks for a passphrase again after a pause, unless something else is to be done", async () => {
    const refused = new PassphraseRefused("No root.");
    await inVirtualTime(async (advance) => {
      const kernel = machine("0");
      const { boot, lines } = bootOn(kernel.sys);
      expect(whenAskedAgain(boot, refused)).toBe(
        "The boot is tried again in 30 s, and the passphrase is asked for again.",
      );
      let over = false;
      void emergency(boot, refused, new BlockDevices(kernel.sys), []).then(() => (over = true));
      await settle();
      expect(lines.at(-1)).toContain("or else in 30 s, as somebody may know the passphrase then,");
      await advance(29_999);
      expect(over).toBe(false);
      await advance(1);
      expect(over).toBe(true);
    });
    const others = [
      whenAskedAgain(bootOn(machine("0").sys).boot, new UserError("No root.")),
      whenAskedAgain(bootOn(machine("5").sys).boot, refused),
      whenAskedAgain(bootOn(machine("0").sys, "rd.emergency=reboot").boot, refused),
      whenAskedAgain(bootOn(machine("0").sys, "rd.shell=1").boot, refused),
    ];
    expect(others).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("does as panic= says where it may", async () => {
    await inVirtualTime(async (advance) => {
      const kernel = machine("2");
      const { boot } = bootOn(kernel.sys);
      void emergency(boot, new UserError("No root."), new BlockDevices(kernel.sys), []);
      await advance(2000);
      expect(reboots(kernel)).toBe(1);
    });
  });
});
