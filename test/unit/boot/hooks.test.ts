import { describe, expect, test } from "bun:test";
import type { ChildEnd, ChildRequest, ChildResult } from "../../../src/boot/children/children.ts";
import type { Boot } from "../../../src/boot/context.ts";
import {
  chooseHooks,
  hasHooks,
  runHooks,
  unknownPoints,
  warnOfUnknownPoints,
} from "../../../src/boot/hooks.ts";
import { type HookPoint, hookPoints } from "../../../src/boot/points.ts";
import { type Tree, fakeKernel, file, program, symlink } from "../../../syscalls/fake.ts";
import { bootOn } from "../../fixtures/disks-in-memory.ts";

function setting(hooks: Tree | undefined, line = "") {
  const kernel = fakeKernel({
    rootfs: { ...(hooks === undefined ? {} : { etc: { "rdinit.d": hooks } }), bin: { sh: program() } },
  });
  return { kernel, ...bootOn(kernel.sys, line) };
}

const script = file("#!/bin/sh\n", 0o755);

async function running(
  hooks: Tree | undefined,
  {
    point = "pre-mount" as HookPoint,
    root = undefined as string | undefined,
    line = "",
    ends = {} as Record<string, ChildEnd>,
  } = {},
) {
  const { kernel, boot, lines } = setting(hooks, line);
  const requests: ChildRequest[] = [];
  const run = async (_: Boot, request: ChildRequest): Promise<ChildResult> => {
    requests.push(request);
    return { end: ends[request.name] ?? { kind: "exited", status: 0 }, output: "" };
  };
  await runHooks(boot, point, root, run);
  return { requests, lines, calls: kernel.calls };
}

describe("the hooks of a point", () => {
  test("no directory costs one call and says nothing", async () => {
    const { requests, lines, calls } = await running(undefined);
    expect([requests, lines]).toEqual([[], []]);
    expect(calls.map(({ name }) => name)).toEqual(["open"]);
  });

  test("run in the order of their names as bytes, one after the other", async () => {
    const names = ["90-z", "10-b", "10-B", "9-first-of-none", "a", "Z", "10-a.sh", "_x"];
    const { requests } = await running({
      "pre-mount": Object.fromEntries(names.map((name) => [name, script])),
    });
    expect(requests.map(({ name }) => name)).toEqual([
      "10-B",
      "10-a.sh",
      "10-b",
      "9-first-of-none",
      "90-z",
      "Z",
      "_x",
      "a",
    ]);
  });

  test("get their environment, their deadline, and their path as the program", async () => {
    const hooks = { "pre-mount": { "10-x": script }, cmdline: { other: script } };
    const { requests } = await running(hooks, { root: "/dev/vda", line: "rd.hook.timeout=7" });
    expect(requests).toEqual([
      {
        argv: ["/etc/rdinit.d/pre-mount/10-x"],
        name: "10-x",
        title: "the hook 10-x (pre-mount)",
        env: { RDINIT_POINT: "pre-mount", RDINIT_ROOT: "/dev/vda", NEWROOT: "/sysroot" },
        show: "live",
        deadline_ms: 7000,
      },
    ]);
    const early = await running(hooks, { point: "cmdline", line: "rd.hook.timeout=0" });
    expect(early.requests[0]?.env).toEqual({ RDINIT_POINT: "cmdline", NEWROOT: "/sysroot" });
    expect(early.requests[0]?.deadline_ms).toBeUndefined();
    expect((await running(hooks)).requests[0]?.deadline_ms).toBe(90_000);
  });

  test("one that fails is told, and those behind it run", async () => {
    const { requests, lines } = await running(
      { "pre-mount": { a: script, b: script, c: script, d: script, e: script } },
      {
        ends: {
          a: { kind: "exited", status: 3 },
          b: { kind: "killed", signal: "SIGSEGV" },
          c: { kind: "timed out" },
          d: { kind: "failed", why: "may not be executed" },
        },
      },
    );
    expect(requests).toHaveLength(5);
    expect(lines).toEqual([
      "warning: the hook a (pre-mount) ended with status 3; the boot goes on.",
      "warning: the hook b (pre-mount) was killed by SIGSEGV; the boot goes on.",
      "warning: the hook c (pre-mount) took too long; the boot goes on.",
      "warning: the hook d (pre-mount) may not be executed; the boot goes on.",
    ]);
  });

  test("what the kernel could not execute is told and passed over", async () => {
    const { requests, lines } = await running({
      "pre-mount": {
        a: file("#!/bin/sh\n", 0o644),
        b: file("#!/bin/bash\n", 0o755),
        c: file("echo\n", 0o755),
        d: {},
        e: symlink("nowhere"),
        f: symlink("/bin/sh"),
      },
    });
    expect(requests.map(({ name }) => name)).toEqual(["f"]);
    const at = "/etc/rdinit.d/pre-mount";
    expect(lines).toEqual([
      `warning: the hook a (pre-mount) is not run: ${at}/a is not executable (mode 0644).`,
      `warning: the hook b (pre-mount) is not run: ${at}/b needs /bin/bash, which does not exist.`,
      `warning: the hook c (pre-mount) is not run: ${at}/c is neither an ELF program nor a script that begins with #!.`,
      `warning: the hook d (pre-mount) is not run: ${at}/d is a directory, not a regular file.`,
      `warning: the hook e (pre-mount) is not run: ${at}/e does not exist.`,
    ]);
  });

  test("names that no hook has", () => {
    expect(
      chooseHooks([
        ".hidden",
        "x~",
        "a.dpkg-old",
        "b.rpmsave",
        "c.ucf-dist",
        "with space",
        "\xe4",
        "new\nline",
        "ok.sh",
        "0",
      ]),
    ).toEqual({
      hooks: ["0", "ok.sh"],
      complaints: ["new\\nline", "with space", "�"].map(
        (name) => `${name} is not run: its name may only hold letters, digits, _, - and . (no spaces).`,
      ),
    });
  });

  test("a directory that can't be read is told", async () => {
    const { boot, lines } = setting({ "pre-mount": symlink("pre-mount") });
    await runHooks(boot, "pre-mount");
    expect(lines).toEqual([
      expect.stringContaining("no hooks of /etc/rdinit.d/pre-mount: open /etc/rdinit.d/pre-mount: "),
    ]);
  });
});

test("whether there is one to run", () => {
  expect(hasHooks(setting(undefined).boot, "mount")).toBe(false);
  expect(hasHooks(setting({ mount: { ".keep": "" } }).boot, "mount")).toBe(false);
  expect(hasHooks(setting({ mount: { nfs: script } }).boot, "mount")).toBe(true);
});

test("directories that are no point are told, with the point that was meant", () => {
  expect(unknownPoints(hookPoints.map(({ name }) => name))).toEqual([]);
  const { boot, lines } = setting({ premount: {}, initqueue: {}, ".git": {}, cleanup: {} });
  warnOfUnknownPoints(boot);
  expect(lines).toEqual([
    "warning: /etc/rdinit.d/initqueue is no point of the boot, and nothing in it is run.",
    "warning: /etc/rdinit.d/premount is no point of the boot, and nothing in it is run; pre-mount is one.",
  ]);
});

test("rd.break= is passed over in words where no shell may be started", async () => {
  const { lines } = await running(undefined, { line: "rd.break rd.shell=0", point: "cleanup" });
  expect(lines).toEqual([
    "warning: rd.break=cleanup is passed over. The rescue shell is forbidden by rd.shell=0.",
  ]);
});
