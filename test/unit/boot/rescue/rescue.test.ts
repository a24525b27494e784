import { describe, expect, test } from "bun:test";
import { shellObstacle } from "../../../../src/boot/rescue/rescue.ts";
import { type Tree, device, fakeKernel, program } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

function machine(dev: Tree, active: string, line = "") {
  const { sys } = fakeKernel({
    rootfs: { bin: { sh: program() }, dev, sys: { class: { tty: { console: { active } } } } },
  });
  return bootOn(sys, line);
}

const tty = device("char", "5:1");

describe("a rescue shell", () => {
  test("is on the terminal that /dev/console stands for, the last one", () => {
    expect(shellObstacle(machine({ ttyS0: tty }, "tty0 ttyS0\n").boot)).toBeUndefined();
    expect(shellObstacle(machine({ ttyS0: tty }, "ttyS0 ttyS1\n").boot)).toBe(
      "No rescue shell is started, as the console can't be opened: open /dev/ttyS1: no such file or directory (ENOENT).",
    );
  });

  test("is none on a machine without a console, where it would end at once, again and again", () => {
    // A driver is missing: the kernel lists no console, and its /dev/console has nothing behind it.
    expect(shellObstacle(machine({}, "\n").boot)).toStartWith(
      "No rescue shell is started, as the console can't be opened: open /dev/console: ",
    );
  });

  test("is forbidden by rd.shell=0 and to guessers, before any console is looked at", () => {
    expect(shellObstacle(machine({}, "\n", "rd.shell=0").boot)).toContain("forbidden by rd.shell=0");
    expect(shellObstacle(machine({}, "\n").boot, true)).toContain("nobody gave the right passphrase");
  });
});
