/** `rdinit image` as a user calls it: build/rdinit, on the modules of the distribution's kernel. */

import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { makeIntelUpdate } from "../fixtures/microcode.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const DRIVERS = ["--drivers", "virtio_pci virtio_blk ext4"];
const dir = temporaryDirectory();
let modules: string;

beforeAll(async () => {
  modules = (await stockKernel()).modules;
}, 600_000);

describe("reproducible", () => {
  test("two builds in two places on two days are the same, byte for byte", async () => {
    const elsewhere = temporaryDirectory();
    mkdirSync(join(elsewhere, "deeper"));
    const copies = [join(dir, "program"), join(elsewhere, "deeper/program")];
    for (const place of copies) {
      mkdirSync(place);
      for (const name of ["rdinit", "init"]) cpSync(join(PROJECT, "build", name), join(place, name));
    }
    const images = await Promise.all(
      copies.map(async (place, at) => {
        const options = [...DRIVERS, "--modules", modules, "--tools", "e2fsck", "--compress", "zstd"];
        const env = {
          SOURCE_DATE_EPOCH: "1700000000",
          TZ: at === 0 ? "UTC" : "Asia/Tokyo",
          HOSTNAME: `host${at}`,
        };
        await run([join(place, "rdinit"), "image", "-o", "x.img", ...options], { cwd: place, env });
        return readFileSync(join(place, "x.img"));
      }),
    );
    expect(images[0]?.equals(images[1] ?? Buffer.alloc(0))).toBe(true);
    const listed = await run([RDINIT, "list", join(dir, "program/x.img")], { env: { TZ: "UTC" } });
    expect(listed).toContain("Nov 14  2023 init\n");
  }, 60_000);
});

test("no root is needed: an ordinary user gets the same image, with its device nodes", async () => {
  const user = temporaryDirectory();
  await run(["chmod", "0777", user]);
  const options = [...DRIVERS, "--modules", "/modules", "--include", "/etc/hostname"];
  const root = join(user, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  await Bun.write(join(root, "etc/hostname"), "x\n");
  cpSync(modules, join(root, "lib/modules/6.1"), {
    recursive: true,
    filter: (path) => !path.endsWith("/build"),
  });
  options.splice(2, 2, "--root", root);
  const build = (file: string) => [RDINIT, "image", "-o", file, ...options];
  await run(build(join(user, "by-root")));
  const asUser =
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  await run([...asUser, ...build(join(user, "by-user"))]);
  expect(readFileSync(join(user, "by-user")).equals(readFileSync(join(user, "by-root")))).toBe(true);
  expect(statSync(join(user, "by-user")).mode & 0o777).toBe(0o600);
}, 60_000);

test("SOURCE_DATE_EPOCH that is no time is a sentence", async () => {
  const { status, stderr } = await tryRun([RDINIT, "image", "-o", join(dir, "x"), "--drivers", "none"], {
    env: { SOURCE_DATE_EPOCH: "yesterday" },
  });
  expect(status).toBe(2);
  expect(stderr).toBe(
    "rdinit: SOURCE_DATE_EPOCH is 'yesterday', which is no time that an archive can hold. It is a number of " +
      "seconds since 1970, below 2^32.\n",
  );
});

test("nothing is said where nobody watches, and --verbose says why each file is in", async () => {
  const file = join(dir, "verbose.img");
  const quiet = await tryRun([RDINIT, "image", "-o", file, "--modules", modules, ...DRIVERS]);
  expect([quiet.status, quiet.stdout, quiet.stderr]).toEqual([0, "", ""]);
  const told = await run([RDINIT, "image", "-o", file, "--modules", modules, ...DRIVERS, "-v"]);
  for (const line of [
    /^ +\d+ {2}usr\/lib\/modules\/\S+\/ext4\.ko: --drivers$/m,
    /^ +\d+ {2}usr\/lib\/modules\/\S+\/jbd2\.ko: needed by ext4$/m,
    /^ +\d+ {2}init: every image$/m,
  ])
    expect(told).toMatch(line);
  const files = (await run([RDINIT, "list", file])).split("\n").filter((line) => /^[-clb]/.test(line));
  expect(told.trimEnd().split("\n").length).toBe(files.length);
  expect(readdirSync(dir)).toContain("verbose.img");
});

test("a program that is started finds nothing in its environment that is the binary's own", async () => {
  const place = temporaryDirectory();
  const tell = '#!/bin/sh\ncat >/dev/null\necho "preloaded: <$LD_PRELOAD>, $WORD" >&2\nexit 3\n';
  await Bun.write(join(place, "lz4"), tell);
  chmodSync(join(place, "lz4"), 0o755);
  const { stderr } = await tryRun(
    [RDINIT, "image", "-o", join(dir, "x"), "--drivers", "none", "--compress", "lz4"],
    { env: { PATH: `${place}:${process.env["PATH"]}`, WORD: "kept" } },
  );
  expect(stderr).toBe("rdinit: lz4 failed (status 3): preloaded: <>, kept.\n");
});

test("microcode stands in front, in an archive of its own that is not compressed", async () => {
  const file = join(dir, "microcode.img");
  const root = temporaryDirectory();
  mkdirSync(join(root, "lib/firmware/intel-ucode"), { recursive: true });
  await Bun.write(join(root, "lib/firmware/intel-ucode/06-8e-0c"), makeIntelUpdate({ signature: 0x806ec }));
  const build = (which: string) =>
    tryRun([
      RDINIT,
      "image",
      "-o",
      file,
      "--root",
      root,
      "--drivers",
      "none",
      "--compress",
      "gzip",
      "--microcode",
      which,
    ]);
  expect(await build("all")).toMatchObject({ status: 0, stderr: "" });
  const segments = (await run([RDINIT, "list", "--segments", file])).trimEnd().split("\n");
  expect(segments.slice(1).map((line) => line.split(/ +/).at(-1))).toEqual([
    expect.stringMatching(/none|early/),
    "gzip",
  ]);
  expect(await run([RDINIT, "list", file])).toContain(" kernel/x86/microcode/GenuineIntel.bin\n");
  rmSync(join(root, "lib"), { recursive: true });
  const none = await build("all");
  expect(none.status).toBe(0);
  expect(none.stderr).toMatch(/^rdinit image: .*microcode/);
});

test("what the root has in /etc/rdinit.d, modprobe.d and rdinit.ini comes along", async () => {
  const root = temporaryDirectory();
  const write = async (path: string, content: string, mode: number) => {
    await Bun.write(join(root, path), content);
    chmodSync(join(root, path), mode);
  };
  await write("etc/rdinit.d/pre-mount/10-hello", "#!/bin/hello\n", 0o755);
  await write("etc/rdinit.d/pre-mount/README", "not a hook\n", 0o644);
  cpSync(staticBusybox(), join(root, "bin/hello"));
  await write("etc/modprobe.d/mine.conf", "blacklist floppy\n", 0o644);
  await write("etc/rdinit.ini", "[image]\ndrivers = none\n[boot]\nroot = LABEL=mine\n", 0o644);
  const file = join(dir, "etc.img");
  const { status, stderr } = await tryRun([RDINIT, "image", "-o", file, "--root", root]);
  expect(status).toBe(0);
  expect(stderr).toMatch(/README is not executable/);
  const listed = await run([RDINIT, "list", file]);
  for (const path of ["etc/rdinit.d/pre-mount/10-hello", "bin/hello", "etc/modprobe.d/mine.conf"])
    expect(listed).toContain(` ${path}\n`);
  expect(await run([RDINIT, "cat", file, "etc/rdinit/cmdline"])).toBe("root=LABEL=mine\n");
  const plan = await run([RDINIT, "plan", "--image", file, "--cmdline", ""]);
  expect(plan).toContain("Run the hooks of pre-mount: 10-hello.");
  expect(plan).toContain("until LABEL=mine is there");
});
