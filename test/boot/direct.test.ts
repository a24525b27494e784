/**
 * The kernel starts the probe itself: what a real init sees without any initramfs is what rdinit is measured
 * against.
 */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDisk } from "../../qemu/disks.ts";
import { builtinKernel, builtinKernelWith, stockKernel } from "../../qemu/kernel.ts";
import { buildProbe, compare, probeMachine, probeRoot, referenceListing } from "../../qemu/probe.ts";
import { packInitramfs } from "../../qemu/tree.ts";

const TIMEOUT_MS = 60_000;
const dir = mkdtempSync(join(tmpdir(), "rdinit-direct-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test(
  "the built-in kernel starts it from the root on a disk",
  async () => {
    const kernel = await builtinKernel();
    const file = join(dir, "root.img");
    await makeDisk({
      file,
      type: "ext4",
      tree: await probeRoot(),
      uuid: "8a4f4d0e-0c5f-4a55-9d2e-51c7e0b7a001",
    });
    const options = {
      kernel: kernel.vmlinuz,
      append: "root=/dev/vda quiet single name=value module.parameter=1 -- last words",
      disks: [{ file }],
      timeout_ms: TIMEOUT_MS,
    };
    const listing = await referenceListing({ ...options, name: "direct-builtin" });
    expect(Object.fromEntries(listing)).toMatchObject({
      pid: "1",
      sid: "0",
      "argv.0": "/sbin/init",
      "argv.1": "single",
      "argv.3": "words",
      "argv.count": "4",
      "environ.2": "name=value",
      "environ.count": "3",
      "fd.count": "3",
      "fd.0.link": "/dev/console",
      "fd.shared.0-1": "yes",
      "signal.13": "default",
      "signals.blocked": "0000000000000000",
      "mount./.type": "ext4",
      "mount./dev.type": "devtmpfs",
      "mounts.count": "2",
      "processes.others": "0",
      "sys.kernel/osrelease": kernel.version,
      userns: "ok",
    });
    // Two starts tell the same but for the time and a few pages: the listing has nothing in it that comes by
    // chance.
    const again = await referenceListing({ ...options, name: "direct-again" });
    const chance = { key: /^(boottime|sysinfo\.free|memory\.\w+)$/, why: "measured anew" };
    expect(compare(listing, again, [chance])).toEqual([]);
    expect(Math.abs(Number(listing.get("memory.free")) - Number(again.get("memory.free")))).toBeLessThan(
      1024,
    );
  },
  2 * TIMEOUT_MS,
);

test(
  "the distribution's kernel starts it from an initramfs that holds nothing else",
  async () => {
    const kernel = await stockKernel();
    const initrd = join(dir, "probe.cpio");
    await packInitramfs([{ path: "/init", kind: "file", from: await buildProbe(), mode: 0o755 }], initrd);
    const listing = await probeMachine({
      name: "direct-stock",
      kernel: kernel.vmlinuz,
      initrd,
      append: "quiet",
      memory_mb: 1024,
      timeout_ms: TIMEOUT_MS,
    });
    expect(Object.fromEntries(listing)).toMatchObject({
      pid: "1",
      "argv.0": "/init",
      "argv.count": "1",
      "mounted.dev": "no",
      "mounted.proc": "no",
      "mount./.type": "rootfs",
      "mounts.count": "1",
      "dir./dev/console": "char 5:1 0600 0:0",
      "modules.count": "0",
      "sys.kernel/osrelease": kernel.version,
    });
  },
  2 * TIMEOUT_MS,
);

test(
  "a kernel that holds it starts it without a console: such an initramfs has no node for one",
  async () => {
    const initramfs = join(dir, "inside.cpio");
    const kernel = join(dir, "vmlinuz-with-probe");
    await packInitramfs([{ path: "/init", kind: "file", from: await buildProbe(), mode: 0o755 }], initramfs);
    await builtinKernelWith(initramfs, kernel);
    const listing = await probeMachine({
      name: "direct-inside",
      kernel,
      append: "quiet",
      timeout_ms: TIMEOUT_MS,
    });
    expect(Object.fromEntries(listing)).toMatchObject({
      pid: "1",
      "argv.0": "/init",
      "fd.count": "0",
      tty: "none: EBADF",
      "mounted.dev": "no",
      "mount./.type": "rootfs",
    });
  },
  4 * TIMEOUT_MS,
);
