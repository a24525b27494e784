import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../../src/boot/cmdline/cmdline.ts";
import { readSystemdSettings, stateText } from "../../../../src/boot/handover/systemd-state.ts";
import { type FakeKernel, program, symlink } from "../../../../syscalls/fake.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import {
  type Outcome,
  earlyMachine,
  legacy,
  realRoot,
  runHandOver,
} from "../../../fixtures/early-machine.ts";

/** A root whose init is systemd, by the links of a Debian with merged /usr. */
const debian = {
  ...realRoot,
  sbin: symlink("usr/sbin"),
  lib: symlink("usr/lib"),
  usr: { sbin: { init: symlink("/lib/systemd/systemd") }, lib: { systemd: { systemd: program() } } },
};

function argumentsOf({ executed }: Outcome): readonly string[] {
  return executed?.argv.slice(1) ?? [];
}

/** What systemd finds in the file that it is told of. */
function handedState(kernel: FakeKernel, outcome: Outcome): string {
  const [, , , fd] = argumentsOf(outcome);
  const { sys } = kernel;
  sys.dup3(Number(fd), 90, 0);
  const buffer = new Uint8Array(100);
  return Buffer.from(buffer.subarray(0, sys.read(90, buffer))).toString();
}

describe("systemd", () => {
  test("is told when the early userspace began, in front of the kernel's arguments", async () => {
    const kernel = earlyMachine({ newRoot: debian });
    const outcome = await runHandOver(kernel);
    expect(outcome).toMatchObject({ kind: "completed", warnings: [] });
    const [switched, system, deserialize, fd, ...rest] = argumentsOf(outcome);
    expect([switched, system, deserialize]).toEqual(["--switched-root", "--system", "--deserialize"]);
    expect(rest).toEqual([...legacy.args]);
    // The one descriptor besides standard input and output.
    expect([...kernel.machine.fds.keys()].toSorted()).toEqual([0, 1, 2, Number(fd)]);
    expect(handedState(kernel, outcome)).toMatch(/^initrd-timestamp=\d{16} -?\d+\n$/);
  });

  test("is told nothing when it should not be", async () => {
    const kernel = earlyMachine({ newRoot: debian });
    const outcome = await runHandOver(kernel, undefined, { line: "rd.systemd.timestamps=0" });
    expect(argumentsOf(outcome)).toEqual([...legacy.args]);
    expect([...kernel.machine.fds.keys()].toSorted()).toEqual([0, 1, 2]);
  });

  test("is started all the same when that fails, whatever fails", async () => {
    const good = await runHandOver(earlyMachine({ newRoot: debian }));
    const first = good.calls.findIndex(({ name }) => name === "closeRange") + 1;
    const last = good.calls.findIndex(({ name }) => name === "execve") - 1;
    expect(good.calls.slice(first, last + 1).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["memfd", "write", "open", "fcntl", "close"]),
    );
    for (let index = first; index <= last; index++) {
      const kernel = earlyMachine({ newRoot: debian });
      const outcome = await runHandOver(kernel, (call, proceed, number) => {
        if (number !== index + 1 || call.name === "boottime") return proceed();
        throw refusalOf(call.name, call.args, "EIO");
      });
      expect(outcome.kind).toBe("completed");
      const told = argumentsOf(outcome).length > legacy.args.length;
      if (!told) expect([...kernel.machine.fds.keys()].toSorted()).toEqual([0, 1, 2]);
    }
  });
});

test.each([
  [
    "a file of that name elsewhere",
    { ...realRoot, sbin: { init: symlink("/opt/systemd") }, opt: { systemd: program() } },
  ],
  [
    "a script that may start it",
    { ...debian, usr: { ...debian.usr, sbin: { init: program("#!/lib/systemd/systemd\n") } } },
  ],
])("%s gets the kernel's arguments alone", async (_, newRoot) => {
  const outcome = await runHandOver(earlyMachine({ newRoot }));
  expect(outcome.kind).toBe("completed");
  expect(argumentsOf(outcome)).toEqual([...legacy.args]);
});

test("the state is what manager_deserialize() reads", () => {
  expect(stateText({ realtime_us: 1700000000000000n, monotonic_us: 1234567n })).toBe(
    "initrd-timestamp=1700000000000000 1234567\n",
  );
});

const read = (line: string) => readSystemdSettings(parseCommandLine(line));

test("the parameter: the last one counts, and what it can't be is told", () => {
  expect(read("quiet")).toEqual({ timestamps: true, complaints: [] });
  expect(read("rd.systemd.timestamps=no rd.systemd.timestamps").timestamps).toBe(true);
  expect(read("rd.systemd.timestamps=0").timestamps).toBe(false);
  expect(read("rd.systemd.timestamps=2").complaints).toHaveLength(1);
});
