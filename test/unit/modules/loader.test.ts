import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "bun";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { Modules, type ModuleHost } from "../../../src/modules/loader.ts";
import { SysError } from "../../../syscalls/error.ts";

/** A machine whose kernel takes every module but those in `refuses`, and remembers what it was given. */
class Machine implements ModuleHost {
  readonly calls: string[] = [];
  readonly files = new Map<string, string>();
  /** Errors by module file, each thrown as often as it is in the list. */
  readonly refuses = new Map<string, SysError[]>();
  /** Modules being loaded right now, and the most there ever were. */
  running = 0;
  most = 0;
  open = 0;
  private readonly fds = new Map<number, string>();

  constructor(files: Record<string, string>) {
    for (const [path, text] of Object.entries(files)) this.files.set(path, text);
  }

  readonly sys: ModuleHost["sys"] = {
    open: (path) => {
      this.text(path);
      const fd = 3 + this.fds.size;
      this.fds.set(fd, path);
      this.open++;
      return fd;
    },
    close: () => {
      this.open--;
    },
    slow: {
      finitModule: async (fd, parameters, flags) => {
        const path = this.fds.get(fd) ?? "";
        await this.load(`${path} ${parameters} ${flags}`, path);
      },
      initModule: async (image, parameters) => {
        const content = Buffer.from(image).toString("latin1");
        await this.load(`image ${content} ${parameters}`, content);
      },
    },
  };
  readonly readFile = (path: string) => Buffer.from(this.text(path), "latin1");
  readonly readTextIfThere = (path: string) => this.files.get(path);
  readonly list = (path: string) => {
    const names = [...this.files.keys()].filter((file) => file.startsWith(`${path}/`));
    if (names.length === 0) throw new SysError("openat", 2, "ENOENT", "no such file or directory", path);
    return names.map((file) => ({ name: file.slice(path.length + 1), type: "file" as const }));
  };

  private text(path: string): string {
    const found = this.files.get(path);
    if (found === undefined) throw new SysError("openat", 2, "ENOENT", "no such file or directory", path);
    return found;
  }

  private async load(call: string, key: string): Promise<void> {
    this.calls.push(call.trim());
    this.running++;
    this.most = Math.max(this.most, this.running);
    // Others get their turn, as they would while the kernel is at work.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    this.running--;
    const error = this.refuses.get(key)?.shift();
    if (error) throw error;
  }
}

const RELEASE = "6.1.0-test";
const DIRECTORY = `/lib/modules/${RELEASE}`;

function machine(dep: Record<string, string>, more: Record<string, string> = {}): Machine {
  const lines = Object.entries(dep).map(([file, needs]) => `${file}: ${needs}`);
  const files: Record<string, string> = { [`${DIRECTORY}/modules.dep`]: lines.join("\n"), ...more };
  for (const file of Object.keys(dep)) files[`${DIRECTORY}/${file}`] ??= file;
  return new Machine(files);
}

const NO_DEVICE = new SysError("finit_module", 19, "ENODEV", "no such device");
const diamond = { "a.ko": "b.ko c.ko d.ko", "b.ko": "d.ko", "c.ko": "d.ko", "d.ko": "" };

test("modules are loaded in the order of their needs, those that can side by side", async () => {
  const host = machine(diamond);
  const report = await new Modules(host, RELEASE, []).load(["a"]);
  expect(host.calls[0]).toBe(`${DIRECTORY}/d.ko  0`);
  expect(host.calls.slice(1, 3).sort()).toEqual([`${DIRECTORY}/b.ko  0`, `${DIRECTORY}/c.ko  0`]);
  expect(host.calls[3]).toBe(`${DIRECTORY}/a.ko  0`);
  expect(host.most).toBe(2);
  expect(host.open).toBe(0);
  expect(report).toEqual({
    loaded: ["d", "c", "b", "a"],
    failures: [],
    missing: [],
    refused: [],
    notes: [],
  });
});

test("no more are loaded at once than was said", async () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`m${i}.ko`, ""]));
  const host = machine(many);
  const report = await new Modules(host, RELEASE, [], 3).load(Object.keys(many));
  expect(report.loaded.length).toBe(20);
  expect(host.most).toBe(3);
});

test("a module is loaded once, whoever asks for it and when", async () => {
  const host = machine(diamond);
  const modules = new Modules(host, RELEASE, []);
  const [first, second] = await Promise.all([modules.load(["a"]), modules.load(["c", "b"])]);
  const third = await modules.load(["a"]);
  expect(host.calls.length).toBe(4);
  expect(first?.loaded).toEqual(["d", "c", "b", "a"]);
  expect(second?.loaded).toEqual(["d", "c", "b"]);
  expect(third.loaded).toEqual([]);
});

test("a module that is there already is success", async () => {
  const host = machine(diamond);
  host.refuses.set(`${DIRECTORY}/d.ko`, [new SysError("finit_module", 17, "EEXIST", "file exists")]);
  const report = await new Modules(host, RELEASE, []).load(["a"]);
  expect(report.failures).toEqual([]);
  expect(host.calls.length).toBe(4);
});

test("a bad module fails alone, with those that need it, and may be tried again", async () => {
  const host = machine({ ...diamond, "e.ko": "" });
  host.refuses.set(`${DIRECTORY}/b.ko`, [NO_DEVICE]);
  const modules = new Modules(host, RELEASE, []);
  const report = await modules.load(["a", "e"]);
  expect(report.loaded).toEqual(["d", "c", "e"]);
  expect(report.failures).toEqual([
    {
      name: "b",
      file: `${DIRECTORY}/b.ko`,
      code: "ENODEV",
      sentence: `Module b (${DIRECTORY}/b.ko) is not loaded: it found no device that it could drive (ENODEV).`,
    },
    {
      name: "a",
      file: `${DIRECTORY}/a.ko`,
      code: undefined,
      sentence: "Module a is not loaded: it needs b, which could not be loaded.",
    },
  ]);
  expect((await modules.load(["a"])).loaded).toEqual(["b", "a"]);
});

test("a soft dependency may fail", async () => {
  const host = machine({ "x.ko": "", "y.ko": "" }, { [`${DIRECTORY}/modules.softdep`]: "softdep x pre: y" });
  host.refuses.set(`${DIRECTORY}/y.ko`, [NO_DEVICE]);
  const report = await new Modules(host, RELEASE, []).load(["x"]);
  expect(host.calls.length).toBe(2);
  expect(host.calls[0]).toContain("y.ko");
  expect(report.loaded).toEqual(["x"]);
});

test("the reasons are in words", async () => {
  const codes: [number, string, string][] = [
    [8, "ENOEXEC", "not made for this kernel"],
    [129, "EKEYREJECTED", "signature is refused"],
    [1, "EPERM", "takes no modules"],
    [2, "ENOENT", "symbol"],
    [22, "EINVAL", "parameters"],
  ];
  for (const [errno, code, words] of codes) {
    const host = machine({ "x.ko": "" });
    host.refuses.set(`${DIRECTORY}/x.ko`, [new SysError("finit_module", errno, code, "as errno(3) has it")]);
    const { failures } = await new Modules(host, RELEASE, []).load(["x"]);
    expect(failures[0]?.sentence).toContain(words);
    expect(failures[0]?.code).toBe(code);
  }
});

test("a file that is gone is a failure like any other", async () => {
  const host = machine({ "x.ko": "" });
  host.files.delete(`${DIRECTORY}/x.ko`);
  const { failures } = await new Modules(host, RELEASE, []).load(["x"]);
  expect(failures[0]?.sentence).toContain("no such file or directory (ENOENT).");
});

const packed = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

test("compressed modules are unpacked here, with their parameters", async () => {
  const host = machine(
    { "x.ko.gz": "", "y.ko.zst": "" },
    {
      [`${DIRECTORY}/x.ko.gz`]: packed(gzipSync(Buffer.from("elf of x"))),
      [`${DIRECTORY}/y.ko.zst`]: packed(zstdCompressSync(Buffer.from("elf of y"))),
      "/etc/modprobe.d/x.conf": "options x a=1",
    },
  );
  await new Modules(host, RELEASE, parseCommandLine("x.b=2")).load(["x", "y"]);
  expect(host.calls).toEqual(["image elf of x a=1 b=2", "image elf of y"]);
});

test("the kernel unpacks what it says it can, and where it can't after all, it is done here", async () => {
  const file = `${DIRECTORY}/x.ko.gz`;
  const host = machine(
    { "x.ko.gz": "" },
    { [file]: packed(gzipSync(Buffer.from("elf of x"))), "/sys/module/compression": "gzip\n" },
  );
  host.refuses.set(file, [new SysError("finit_module", 22, "EINVAL", "invalid argument")]);
  const report = await new Modules(host, RELEASE, []).load(["x"]);
  expect(host.calls).toEqual([`${file}  4`, "image elf of x"]);
  expect(report.loaded).toEqual(["x"]);
  expect(host.open).toBe(0);
});

test("a damaged file is a sentence", async () => {
  const host = machine({ "x.ko.xz": "" }, { [`${DIRECTORY}/x.ko.xz`]: "\xfd7zXZ\0nothing" });
  const { failures } = await new Modules(host, RELEASE, []).load(["x"]);
  expect(failures[0]?.sentence).toBe(
    `Module x (${DIRECTORY}/x.ko.xz) is not loaded: ${DIRECTORY}/x.ko.xz can't be unpacked as xz: it is too short. The file is damaged: install it again, or build the image again.`,
  );
});

test("devices are served by modalias, and those without a module are remembered", async () => {
  const host = machine(
    { "x.ko": "" },
    { [`${DIRECTORY}/modules.alias`]: "alias pci:v1* x\n", [`${DIRECTORY}/modules.builtin`]: "k/y.ko\n" },
  );
  const modules = new Modules(host, RELEASE, []);
  const report = await modules.loadForModalias(["pci:v1d2", "usb:v3", "y"], "soon");
  expect(report.loaded).toEqual(["x"]);
  expect(modules.missing()).toEqual(["usb:v3"]);
});

test("without a directory of modules there is nothing to do", async () => {
  const modules = new Modules(new Machine({}), RELEASE, []);
  expect(modules.directory).toBeUndefined();
  const report = await modules.load(["ext4"]);
  expect(report.missing).toEqual([{ name: "ext4", wantedBy: undefined }]);
  expect(report.failures).toEqual([]);
});

test("a list that can't be read is noted once and counts as empty", async () => {
  const host = machine({ "x.ko": "" });
  const broken: ModuleHost = {
    ...host,
    readTextIfThere: (path) => {
      if (path.endsWith("modules.alias")) throw new SysError("read", 5, "EIO", "input/output error", path);
      return host.readTextIfThere(path);
    },
  };
  const modules = new Modules(broken, RELEASE, []);
  const report = await modules.load(["pci:v1", "x"]);
  expect(report.loaded).toEqual(["x"]);
  expect(report.notes).toEqual([
    `${DIRECTORY}/modules.alias can't be read and is left out: read ${DIRECTORY}/modules.alias: input/output error (EIO).`,
  ]);
  expect((await modules.load(["pci:v1"])).notes).toEqual([]);
});

test("/usr/lib/modules will do, and a circle is noted", async () => {
  const directory = `/usr/lib/modules/${RELEASE}`;
  const host = new Machine({
    [`${directory}/modules.dep`]: "a.ko: b.ko\nb.ko: a.ko\n",
    [`${directory}/a.ko`]: "",
    [`${directory}/b.ko`]: "",
  });
  const report = await new Modules(host, RELEASE, []).load(["a"]);
  expect(report.loaded).toEqual(["b", "a"]);
  expect(report.notes).toEqual([
    "These modules need each other in a circle, which is cut at its end: a, b, a.",
  ]);
});

const line = Object.fromEntries(["one", "mouse", "disk", "fs"].map((name) => [`${name}.ko`, ""]));
const ALIASES = { [`${DIRECTORY}/modules.alias`]: "alias serio:* mouse\nalias pci:* disk\n" };

test("what someone waits for comes before what devices ask for, whoever asked first", async () => {
  const host = machine(line, ALIASES);
  const modules = new Modules(host, RELEASE, [], 1);
  await Promise.all([
    modules.load(["one"]),
    modules.loadForModalias(["pci:1", "serio:1"], "soon"),
    modules.load(["fs", "mouse"]),
  ]);
  expect(host.calls.map((call) => /(\w+)\.ko/.exec(call)?.[1])).toEqual(["one", "mouse", "fs", "disk"]);
});

test("a module that drives no device waits for no probing of others", async () => {
  const host = machine({
    "kernel/fs/ext4/ext4.ko": "",
    "kernel/drivers/ata/ahci.ko": "",
    "kernel/drivers/md/raid1.ko": "",
  });
  await new Modules(host, RELEASE, parseCommandLine("raid1.x=2")).load(["ext4", "ahci", "raid1"]);
  expect(host.calls.map((call) => call.slice(call.lastIndexOf("/") + 1))).toEqual([
    "ext4.ko async_probe=1 0",
    "ahci.ko  0",
    "raid1.ko x=2 async_probe=1 0",
  ]);
});
