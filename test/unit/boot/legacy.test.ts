import { describe, expect, test } from "bun:test";
import { readLegacy, restoreProcess } from "../../../src/boot/legacy.ts";
import { type FakeOptions, fakeKernel } from "../../../syscalls/fake.ts";
import { RLIMIT_NOFILE, SIGCHLD, SIGPIPE, SIGTERM, SIGXFSZ } from "../../../syscalls/index.ts";
import { collectLog } from "../../fixtures/collect-log.ts";

function started(options: FakeOptions = {}) {
  return fakeKernel({ rootfs: { proc: {} }, mounts: [{ at: "/proc", type: "proc" }], ...options });
}

describe("what the kernel gave", () => {
  test("every word and variable, byte for byte, the empty ones too", () => {
    const { sys } = started({
      argv: ["/init", "single", "", "\xff\xfe", ""],
      env: ["HOME=/", "", "x=\xe4\n"],
    });
    expect(readLegacy(sys, {})).toEqual({
      args: ["single", "", "\xff\xfe", ""],
      env: ["HOME=/", "", "x=\xe4\n"],
      openFiles: { soft: 1024n, hard: 4096n },
    });
  });

  test("nothing", () => {
    expect(readLegacy(started({ argv: [], env: [] }).sys, {})).toMatchObject({ args: [], env: [] });
  });

  const limits: readonly (readonly [string | undefined, readonly [bigint, bigint]])[] = [
    ["1024:524288", [1024n, 524288n]],
    ["18446744073709551615:18446744073709551615", [2n ** 64n - 1n, 2n ** 64n - 1n]],
    [undefined, [1024n, 4096n]],
    ["", [1024n, 4096n]],
    ["1024", [1024n, 4096n]],
    ["-1:5", [1024n, 4096n]],
    ["1:2\n3:4", [1024n, 4096n]],
    ["0x10:0x20", [1024n, 4096n]],
  ];
  for (const [noted, [soft, hard]] of limits)
    test(`the limit that the stub noted as ${JSON.stringify(noted)}`, () =>
      expect(readLegacy(started().sys, { RDINIT_NOFILE: noted }).openFiles).toEqual({ soft, hard }));
});

describe("what exec would keep is put back", () => {
  const legacy = { args: [], env: [], openFiles: { soft: 1024n, hard: 4096n } };

  test("all of it, without a word", () => {
    const kernel = started({
      ignoredSignals: [SIGPIPE, SIGXFSZ, 64],
      handledSignals: [SIGTERM],
      blockedSignals: [SIGCHLD],
      umask: 0,
      limits: { [RLIMIT_NOFILE]: { soft: 4096n, hard: 4096n } },
    });
    for (let fd = 0; fd < 5; fd++) kernel.sys.open("/proc", 0);
    const { log, lines } = collectLog();
    restoreProcess(kernel.sys, log, legacy);
    expect(lines).toEqual([]);
    // A handler ends with the exec by itself.
    expect([...kernel.machine.dispositions]).toEqual([[SIGTERM, "handled"]]);
    expect(kernel.machine.blocked.size).toBe(0);
    expect(kernel.machine.umask).toBe(0o22);
    expect(kernel.machine.limits[RLIMIT_NOFILE]).toEqual(legacy.openFiles);
    const marked = [...kernel.machine.fds].flatMap(([fd, { closeOnExec }]) => (closeOnExec ? [fd] : []));
    expect(marked).toEqual([3, 4]);
  });

  test("what can't be is told, and keeps nothing else from it", () => {
    const kernel = started({ missing: ["setrlimit"], ignoredSignals: [SIGPIPE] });
    const { log, lines } = collectLog();
    restoreProcess(kernel.sys, log, legacy);
    expect(lines).toEqual([
      "warning: the limit on open files could not be put back for the new init: setrlimit: this kernel does not have the call (ENOSYS).",
    ]);
    expect(kernel.machine.dispositions.size).toBe(0);
  });
});
