/** The file itself: static, and a command-line tool on any x86-64 distribution. */

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";

// The packed form unpacks the whole runtime when it is not process 1: some seconds.
setDefaultTimeout(60_000);

const dir = mkdtempSync(join(tmpdir(), "rdinit-binary-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

for (const name of ["rdinit", "init"])
  describe(`build/${name}`, () => {
    const program = join(PROJECT, "build", name);

    test("is one file without an interpreter", async () => {
      const headers = await run(["readelf", "-lW", program]);
      expect(headers).not.toContain("INTERP");
      expect(headers).not.toContain("DYNAMIC");
      expect(headers).toContain("EXEC");
    });

    test("says what it is", async () => {
      expect(await run([program, "--version"])).toMatch(/^rdinit \d+\.\d+\.\d+ \(bun \d+\.\d+\.\d+\)\n$/);
      expect(await run([program, "--help"])).toContain("root=DEVICE");
    });

    test("refuses what it does not know", async () => {
      const { status, stderr } = await tryRun([program, "--nonsense"]);
      expect(stderr).toBe("rdinit: '--nonsense' is not an option of rdinit. See rdinit --help.\n");
      expect(status).toBe(2);
    });

    test("is not taken over by its environment", async () => {
      const env = {
        BUN_BE_BUN: "1",
        BUN_OPTIONS: "--version",
        BUN_INSPECT: "127.0.0.1:1?wait=1",
        BUN_JSC_nonsense: "1",
        LD_PRELOAD: "/nonsense.so",
        GLIBC_TUNABLES: "glibc.malloc.check=3",
        MIMALLOC_SHOW_STATS: "1",
      };
      const { stdout, stderr } = await tryRun([program, "--version"], { env });
      expect(stdout).toStartWith("rdinit ");
      expect(stderr).toBe("");
    });

    test("starts with closed standard descriptors", async () => {
      await run(["sh", "-c", `"${program}" --version <&- >&- 2>&-`]);
    });

    test("needs nothing of the system but /proc", async () => {
      // What a distribution without glibc gives it; unshare(1) makes the namespaces that let anyone mount and chroot.
      const root = join(dir, name);
      mkdirSync(join(root, "proc"), { recursive: true });
      copyFileSync(program, join(root, "rdinit"));
      const inside = `mount -t proc proc "${root}/proc" && exec chroot "${root}" /rdinit --version`;
      const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
      const argv = ["unshare", ...user, "--mount", "--pid", "--fork", "sh", "-c", `(${inside}); true`];
      expect(await run(argv)).toStartWith("rdinit ");
    });
  });

test("a part of the packed form that was damaged is told", async () => {
  const bytes = readFileSync(join(PROJECT, "build/init"));
  // Behind the open pages and the libraries the windows fill the file but for its end.
  const at = Math.floor(bytes.length * 0.6);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  const damaged = join(dir, "damaged");
  writeFileSync(damaged, bytes, { mode: 0o755 });
  chmodSync(dir, 0o755);
  // An ordinary user has no userfaultfd(2), so all windows are unpacked.
  const user = process.getuid?.() === 0 ? ["setpriv", "--reuid", "65534", "--clear-groups"] : [];
  const { status, stderr } = await tryRun([...user, damaged, "--version"]);
  expect(stderr).toBe(
    "rdinit: /init is damaged: a part of the runtime can't be unpacked. Build the image anew.\n",
  );
  expect(status).toBe(127);
});
