import { describe, expect, test } from "bun:test";
import { findInit, kernelInits, readProgram } from "../../../../src/boot/handover/newinit.ts";
import { toBytes } from "../../../../src/lib/bytes.ts";
import { type Tree, device, fakeKernel, file, program, symlink } from "../../../../syscalls/fake.ts";
import { intercept } from "../../../../syscalls/intercept.ts";
import { refusalOf } from "../../../../syscalls/methods.ts";
import { collectLog } from "../../../fixtures/collect-log.ts";

function find(root: Tree, asked?: string): { init: string; lines: string[] } {
  const { log, lines } = collectLog();
  return { init: findInit(fakeKernel({ rootfs: { root } }).sys, log, "/root", asked), lines };
}

/** What is wrong with the one init in the root. */
function fault(init: Tree[string], others: Tree = {}): string {
  try {
    return find({ ...others, init }, "/init").init;
  } catch (error) {
    return String(error).replace(
      /^UserError: The root filesystem holds no init that can be started: \/init /,
      "",
    );
  }
}

interface ElfOptions {
  readonly wide?: boolean;
  readonly machine?: number;
  readonly loader?: string;
}

/** The head of an ELF program with one program header before its PT_INTERP. */
function elf({ wide = true, machine = 62, loader }: ElfOptions = {}): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  bytes.set(toBytes(`\x7fELF${wide ? "\x02" : "\x01"}\x01\x01`));
  view.setUint16(18, machine, true);
  const [headers, size] = wide ? [64, 56] : [52, 32];
  if (wide) view.setBigUint64(32, BigInt(headers), true);
  else view.setUint32(28, headers, true);
  view.setUint16(wide ? 54 : 42, size, true);
  view.setUint16(wide ? 56 : 44, loader === undefined ? 1 : 2, true);
  view.setUint32(headers, 6, true);
  if (loader === undefined) return bytes;
  const at = headers + size;
  const [place, length] = [400, loader.length + 1];
  view.setUint32(at, 3, true);
  if (wide) {
    view.setBigUint64(at + 8, BigInt(place), true);
    view.setBigUint64(at + 32, BigInt(length), true);
  } else {
    view.setUint32(at + 4, place, true);
    view.setUint32(at + 16, length, true);
  }
  bytes.set(toBytes(loader), place);
  return bytes;
}

/** Scripts that name each other; the first names /elf. */
function scripts(count: number): Tree {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`s${i}`, program(i === 0 ? "#!/elf\n" : `#!/s${i - 1}\n`)]),
  );
}

function scriptHead(nameLength: number): Uint8Array {
  return toBytes(`#!/${"x".repeat(nameLength)}\n`.padEnd(600));
}

describe("which init is taken", () => {
  test("the kernel's own list, in its order", () => {
    const root: Tree = {
      sbin: { init: program() },
      etc: { init: program() },
      bin: { init: program(), sh: program() },
    };
    expect(find(root).init).toBe("/sbin/init");
    expect(kernelInits).toEqual(["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"]);
    expect(find({ bin: { sh: program() } })).toEqual({ init: "/bin/sh", lines: [] });
  });

  test("one that is there and can't be started is passed over with a warning", () => {
    expect(find({ sbin: { init: file("#!/bin/sh\n") }, bin: { sh: program() } })).toEqual({
      init: "/bin/sh",
      lines: ["warning: /sbin/init is not executable (mode 0644); trying /bin/sh."],
    });
  });

  test("init= is the only one, and comes back as it was written", () => {
    expect(find({ sbin: { init: program() }, my: { init: symlink("/sbin/init") } }, "/my//init").init).toBe(
      "/my//init",
    );
    expect(() => find({ sbin: { init: program() } }, "/my/init")).toThrow(
      "The root filesystem holds no init that can be started: /my/init does not exist.",
    );
  });

  test("a root without any says so of each", () => {
    expect(() => find({ sbin: { init: {} } })).toThrow(
      "/sbin/init is a directory, not a regular file; /etc/init does not exist; /bin/init does not exist; /bin/sh does not exist.",
    );
  });
});

describe("what is wrong with an init", () => {
  const sh = { bin: { sh: program() } };
  const table: readonly (readonly [string, Tree[string], string, Tree?])[] = [
    ["nothing, a static ELF program", file(elf(), 0o755), "/init"],
    [
      "nothing, a 64-bit program and its loader",
      file(elf({ loader: "/ld.so" }), 0o755),
      "/init",
      { "ld.so": file(elf(), 0o755) },
    ],
    [
      "nothing, a 32-bit program and its loader",
      file(elf({ wide: false, machine: 3, loader: "/ld.so" }), 0o755),
      "/init",
      { "ld.so": file(elf({ machine: 3 }), 0o755) },
    ],
    ["nothing, a script", program("#!/bin/sh\n"), "/init", sh],
    ["nothing, a script with blanks and arguments", program("#! \t/bin/sh\t-e x\n"), "/init", sh],
    ["nothing, a script without a line end", program("#!/bin/sh"), "/init", sh],
    ["nothing, a script whose interpreter is named from /", program("#!bin/sh\n"), "/init", sh],
    ["its link leads outside", symlink("/out/init"), "does not exist."],
    ["its link leads nowhere", symlink("gone"), "does not exist."],
    [
      "its link leads to itself",
      symlink("init"),
      "can't be examined: /init leads through more than 40 links.",
    ],
    ["a directory", {}, "is a directory, not a regular file."],
    ["a device", device("char", "1:3"), "is a character device, not a regular file."],
    ["its mode", file(elf(), 0o644), "is not executable (mode 0644)."],
    ["empty", program(""), "is neither an ELF program nor a script that begins with #!."],
    ["text", program("echo hello\n"), "is neither an ELF program nor a script that begins with #!."],
    [
      "a script of nothing",
      program("#! \n/bin/sh"),
      "is neither an ELF program nor a script that begins with #!.",
      sh,
    ],
    ["CRLF", program("#!/bin/sh\r\n"), "needs /bin/sh\\x0d, which does not exist.", sh],
    ["a missing interpreter", program("#!/bin/bash\n"), "needs /bin/bash, which does not exist.", sh],
    [
      "an interpreter that is cut off",
      program(`#!/${"x".repeat(300)}\n`),
      "is neither an ELF program nor a script that begins with #!.",
    ],
    [
      "a missing loader",
      file(elf({ loader: "/lib64/ld.so" }), 0o755),
      "needs /lib64/ld.so, which does not exist.",
    ],
    [
      "a loader that is a script",
      file(elf({ loader: "/ld.so" }), 0o755),
      "needs /ld.so, which is not an ELF file.",
      { "ld.so": program("#!/bin/sh\n"), ...sh },
    ],
    [
      "another machine",
      file(elf({ machine: 183 }), 0o755),
      "is built for another kind of processor (ELF machine 183).",
    ],
    [
      "a loader of another machine",
      file(elf({ loader: "/ld.so" }), 0o755),
      "needs /ld.so, which is built for another kind of processor (ELF machine 183).",
      { "ld.so": file(elf({ machine: 183 }), 0o755) },
    ],
    [
      "a script that is its own interpreter",
      program("#!/init\n"),
      `${"needs /init, which ".repeat(5)}is a script of a script, too deep for the kernel.`,
    ],
  ];
  for (const [name, init, words, others] of table) test(name, () => expect(fault(init, others)).toBe(words));

  test("five scripts of each other are what the kernel takes, and their program's loader does not count", () => {
    const others: Tree = {
      elf: file(elf({ loader: "/ld.so" }), 0o755),
      "ld.so": file(elf(), 0o755),
      ...scripts(6),
    };
    expect(fault(program("#!/s3\n"), others)).toBe("/init");
    expect(fault(program("#!/s4\n"), others)).toContain("too deep for the kernel");
  });

  test("a relative init= is refused", () => {
    expect(() => find({ sbin: { init: program() } }, "sbin/init")).toThrow(
      "sbin/init is not an absolute path.",
    );
  });

  test("a trailing slash asks for a directory, which no program is", () => {
    expect(() => find({ sbin: { init: program() } }, "/sbin/init/")).toThrow("/sbin/init/ does not exist.");
  });

  for (const [code, words] of [
    ["EACCES", "may not be executed: its filesystem is mounted noexec."],
    ["EIO", "can't be examined: access /root/init: the device reports an input or output error (EIO)."],
  ] as const)
    test(`access(2) says ${code}`, () => {
      const sys = intercept(fakeKernel({ rootfs: { root: { init: program() } } }).sys, (call, proceed) => {
        if (call.name !== "access") return proceed();
        throw refusalOf(call.name, call.args, code);
      });
      expect(() => findInit(sys, collectLog().log, "/root", "/init")).toThrow(`/init ${words}`);
    });
});

describe("the head of a program", () => {
  test("the loader of both widths", () => {
    for (const wide of [true, false])
      expect(readProgram(elf({ wide, loader: "/lib/ld" }))).toEqual({ kind: "elf", loader: "/lib/ld" });
  });

  test("cut at any length is a program, a script or neither, and never read past its end", () => {
    const whole = elf({ loader: "/lib/ld" });
    for (let length = 0; length < whole.length; length++) {
      const read = readProgram(whole.slice(0, length));
      expect(read.kind).toBe(length < 4 ? "unknown" : "elf");
      if (read.kind === "elf") expect(read.loader).toBe(length < 408 ? undefined : "/lib/ld");
    }
  });

  test("offsets beyond all bounds are left to the kernel", () => {
    const bytes = elf({ loader: "/lib/ld" });
    new DataView(bytes.buffer).setBigUint64(32, 2n ** 64n - 8n, true);
    expect(readProgram(bytes)).toEqual({ kind: "elf", loader: undefined });
  });

  test("a script's interpreter ends within 256 bytes, as the kernel reads them", () => {
    expect(readProgram(scriptHead(252))).toEqual({ kind: "script", interpreter: `/${"x".repeat(252)}` });
    expect(readProgram(scriptHead(253))).toEqual({ kind: "unknown" });
  });
});
