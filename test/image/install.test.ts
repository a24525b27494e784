/** `rdinit install` as a user calls it: build/rdinit, into directories where other things are already. */

import { describe, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";
import { recordChanges, runWithFault, traceNeeds } from "../fixtures/strace.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const COMMON = ["-c", "/dev/null", "--drivers", "none", "--cmdline", "root=LABEL=system"];
const IS_ROOT = process.getuid?.() === 0;

function call(directory: string, ...options: string[]): string[] {
  return [RDINIT, "install", directory, ...COMMON, ...options];
}

/** Installs; what was said. */
async function install(directory: string, ...options: string[]): Promise<string> {
  const { status, stderr } = await tryRun(call(directory, ...options));
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stderr;
}

async function refused(directory: string, ...options: string[]): Promise<string> {
  const { status, stderr } = await tryRun(call(directory, ...options));
  expect(status).toBe(2);
  return stderr;
}

/** Every path with type, mode, and contents or target; without the list of what was installed. */
function contents(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path !== "etc/rdinit/installed")
    .sort()
    .map((path) => {
      const stats = fs.lstatSync(join(directory, path));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return `${path} -> ${fs.readlinkSync(join(directory, path))}`;
      if (!stats.isFile()) return `${path} ${stats.isDirectory() ? "directory" : "node"} ${mode}`;
      return `${path} ${mode} ${Bun.hash(fs.readFileSync(join(directory, path)))}`;
    });
}

test("what is needed is there, with programs by all their names", async () => {
  const directory = join(temporaryDirectory(), "new");
  const said = await install(directory);
  if (IS_ROOT) expect(said).toBe("");
  else
    expect(said).toContain(
      "left out, as it takes root to make them: the device nodes dev/console, dev/null.",
    );
  const names = contents(directory).map((line) => line.split(" ")[0]);
  for (const name of ["init", "dev", "proc", "run", "sys", "sysroot", "tmp", "etc/inittab"])
    expect(names).toContain(name);
  expect(fs.statSync(join(directory, "init")).mode & 0o777).toBe(0o755);
  expect(fs.readFileSync(join(directory, "etc/rdinit/cmdline"), "utf8")).toBe("root=LABEL=system\n");
  expect(fs.readlinkSync(join(directory, "sbin/init"))).toBe("/bin/busybox");
  expect(fs.readlinkSync(join(directory, "bin/mount"))).toBe("/bin/busybox");
  expect(fs.statSync(join(directory, "tmp")).mode & 0o7777).toBe(0o1777);
});

test("a second install writes what is new, deletes what is old of its own, and leaves all else", async () => {
  const directory = temporaryDirectory();
  fs.mkdirSync(join(directory, "grub"));
  fs.writeFileSync(join(directory, "vmlinuz"), "kernel");
  fs.writeFileSync(join(directory, "grub/grub.cfg"), "menu");
  fs.writeFileSync(join(directory, "etc-motd"), "mine");
  await install(directory, "--include", "/etc/hostname:/etc/one/two");
  const { ino } = fs.statSync(join(directory, "init"));
  fs.writeFileSync(join(directory, "etc/one/mine"), "mine");
  fs.appendFileSync(join(directory, "etc/inittab"), "# mine\n");
  const said = await install(directory, "--include", "/etc/hostname:/etc/three");
  expect(said).toContain("changed by somebody since the last install, and left so: etc/inittab.");
  expect(fs.statSync(join(directory, "init")).ino).toBe(ino);
  expect(fs.existsSync(join(directory, "etc/one/two"))).toBe(false);
  expect(fs.readFileSync(join(directory, "etc/one/mine"), "utf8")).toBe("mine");
  expect(fs.existsSync(join(directory, "etc/three"))).toBe(true);
  expect(fs.readFileSync(join(directory, "etc/inittab"), "utf8")).toEndWith("# mine\n");
  for (const [name, content] of [
    ["vmlinuz", "kernel"],
    ["grub/grub.cfg", "menu"],
    ["etc-motd", "mine"],
  ] as const)
    expect(fs.readFileSync(join(directory, name), "utf8")).toBe(content);
  await install(directory, "--force");
  expect(fs.readFileSync(join(directory, "etc/inittab"), "utf8")).not.toContain("mine");
});

describe("nothing is touched", () => {
  test("when something of another is in the way; --force replaces files, and never directories", async () => {
    const directory = temporaryDirectory();
    fs.mkdirSync(join(directory, "etc"));
    fs.writeFileSync(join(directory, "etc/inittab"), "a system's");
    expect(await refused(directory)).toBe(
      `rdinit: ${directory}/etc/inittab is in the way: rdinit has not put it there. Is it the right directory? ` +
        "Move it away, or say --force to replace files; directories are never replaced.\n",
    );
    expect(contents(directory)).toHaveLength(2);
    await install(directory, "--force");
    expect(fs.readFileSync(join(directory, "etc/inittab"), "utf8")).toContain("rdinit");
    fs.rmSync(join(directory, "init"));
    fs.mkdirSync(join(directory, "init"));
    expect(await refused(directory, "--force")).toContain(
      `${directory}/init is in the way: a directory never takes another thing's place here`,
    );
  });

  test("behind a symlink that leads out", async () => {
    const [directory, outside] = [temporaryDirectory(), temporaryDirectory()];
    fs.symlinkSync(outside, join(directory, "etc"));
    expect(await refused(directory, "--force")).toContain(`${directory}/etc`);
    expect(fs.readdirSync(outside)).toEqual([]);
    expect(fs.readdirSync(directory)).toEqual(["etc"]);
  });

  test("on the machine's own root", async () => {
    expect(await refused("/")).toContain("/ is the root of this machine, and no boot partition.");
    expect(await refused("/..//")).toContain("is the root of this machine");
  });

  test("when the list of what is ours is damaged", async () => {
    const directory = temporaryDirectory();
    await install(directory);
    fs.writeFileSync(join(directory, "etc/rdinit/installed"), '{"../x":"directory"}');
    expect(await refused(directory)).toContain("is damaged. Delete it");
  });

  test.skipIf(!IS_ROOT)("when the filesystem is full, or read-only", async () => {
    const directory = temporaryDirectory();
    // A mount namespace of its own: nothing stays mounted.
    const inTmpfs = async (
      options: string,
      ...before: string[]
    ): Promise<{ stderr: string; stdout: string }> => {
      const script = [
        'mount -t tmpfs -o "$1" tmpfs "$2"',
        ...before,
        "shift 2",
        '"$@" || find "$DIR" -mindepth 1 | grep -v "^$DIR/vmlinuz$"',
      ];
      const argv = [
        "unshare",
        "-m",
        "sh",
        "-c",
        script.join("\n"),
        "sh",
        options,
        directory,
        ...call(directory),
      ];
      return tryRun(argv, { env: { DIR: directory } });
    };
    const full = await inTmpfs("size=30m", 'echo kernel >"$2/vmlinuz"');
    expect(full.stderr).toContain("/init can't be written: ");
    expect(full.stderr).toContain("Nothing was replaced. New files need room beside the old ones");
    expect(full.stdout).toBe("");
    const readonly = await inTmpfs("size=300m", 'mount -o remount,ro "$2"');
    expect(readonly.stderr).toContain("Mount the boot partition read-write.");
    expect(readonly.stdout).toBe("");
  });
});

const needs = await traceNeeds();

test.skipIf(needs !== undefined)(
  `killed at any step, every file is the old one or the new one, and the next run mends it${needs === undefined ? "" : ` (but ${needs})`}`,
  async () => {
    const first = [
      "--without-shell",
      "--include",
      "/etc/hostname:/etc/a",
      "--include",
      "/etc/hostname:/etc/gone/b",
    ];
    const second = ["--without-shell", "--include", "/etc/passwd:/etc/a", "--include", "/etc/passwd:/etc/c"];
    const directory = temporaryDirectory();
    const fresh = async (): Promise<void> => {
      for (const name of fs.readdirSync(directory)) fs.rmSync(join(directory, name), { recursive: true });
      fs.writeFileSync(join(directory, "vmlinuz"), "kernel");
      await install(directory, ...first);
    };
    await fresh();
    const before = new Set(contents(directory));
    const traced = await recordChanges(call(directory, ...second), []);
    const after = contents(directory);
    const steps = traced.filter(({ name }) => /^(rename|unlink|renameat2?|unlinkat|rmdir)$/.test(name));
    expect(steps.length).toBeGreaterThan(6);
    for (const step of steps) {
      await fresh();
      const { status } = await runWithFault(call(directory, ...second), [], step, "signal=SIGKILL");
      expect(status, step.line).toBe(137);
      const strange = contents(directory).filter(
        (line) => !before.has(line) && !after.includes(line) && !line.includes(".rdinit-new-"),
      );
      expect(strange, step.line).toEqual([]);
      expect(await install(directory, ...second), step.line).toContain("it is no rescue environment");
      expect(contents(directory), step.line).toEqual(after);
    }
  },
  120_000,
);

test.skipIf(!IS_ROOT)("an ordinary user can do it, but for device nodes", async () => {
  const directory = temporaryDirectory();
  fs.chmodSync(directory, 0o777);
  const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { status, stderr } = await tryRun([...user, ...call(`${directory}/boot`)]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr:
      "rdinit install: left out, as it takes root to make them: the device nodes dev/console, dev/null. " +
      "The kernel must mount /dev itself then (CONFIG_DEVTMPFS_MOUNT).\n",
  });
  await run(["test", "-x", `${directory}/boot/init`]);
});
