/** `rdinit image --ssh` and its images as a user meets them: build/rdinit, this machine's dropbear, keys of OpenSSH. */

import { beforeAll, expect, test } from "bun:test";
import { chmodSync, cpSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { PROJECT, run, tryRun } from "../../qemu/host.ts";
import { staticBusybox } from "../../qemu/images.ts";
import { stockKernel } from "../../qemu/kernel.ts";
import { temporaryDirectory, temporaryTree } from "../fixtures/temporary.ts";

const RDINIT = join(PROJECT, "build/rdinit");
const [dir, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
const image = join(dir, "remote.img");
const root = temporaryTree({
  "etc/rdinit.ini": "[boot]\nroot = nfs:10.0.0.1:/x\nip = br0:dhcp\nbridge = br0:eth0\n",
  "bin/sh": "",
});
const LINE = "root=LABEL=x";
let options: readonly string[];

beforeAll(async () => {
  for (const name of ["host", "client"])
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(dir, name)]);
  const { modules } = await stockKernel();
  options = [
    ...["--modules", modules, "--drivers", "virtio_pci virtio_net ext4"],
    ...["--ssh", "--authorized-keys", join(dir, "client.pub"), "--ssh-host-keys", join(dir, "host")],
  ];
  await run([RDINIT, "image", "-o", image, ...options]);
}, 600_000);

test("the keys are inputs: the same ones give the same bytes", async () => {
  await run([RDINIT, "image", "-o", join(dir, "again.img"), ...options]);
  expect(readFileSync(join(dir, "again.img")).equals(readFileSync(image))).toBe(true);
  expect(statSync(image).mode & 0o777).toBe(0o600);
});

test("what a login takes is in the image, and its key is for nobody's eyes", async () => {
  const listed = await run([RDINIT, "list", image]);
  expect(listed).toMatch(/^-rw------- .* etc\/dropbear\/dropbear_ed25519_host_key$/m);
  expect(listed).toMatch(/^lrwxrwxrwx .* (?:usr\/)?bin\/unlock -> \/init$/m);
  expect(listed).toMatch(/^lrwxrwxrwx .* (?:usr\/)?sbin\/udhcpc -> \/bin\/busybox$/m);
  for (const path of ["dropbear", "virtio_net.ko", "authorized_keys"])
    expect(listed).toMatch(new RegExp(`/${path}$`, "m"));
  expect(await run([RDINIT, "cat", image, "root/.ssh/authorized_keys"])).toBe(
    readFileSync(join(dir, "client.pub"), "latin1"),
  );
  expect(await run([RDINIT, "cat", image, "etc/passwd"])).toBe("root:*:0:0:root:/root:/bin/unlock\n");
});

/** Without a look at the disks of the machine that runs the test. */
function check(file: string) {
  return tryRun([RDINIT, "check", file, "--cmdline", LINE, "--root", elsewhere]);
}

test("rdinit check has nothing against it, but that others may read its keys", async () => {
  expect((await check(image)).stdout).not.toMatch(/^(?:error|warning)/m);
  const open = join(dir, "open.img");
  cpSync(image, open);
  chmodSync(open, 0o644);
  expect((await check(open)).stdout).toContain(
    `warning: ${open} can be read by others, and holds what nobody but its owner may read: ` +
      "/etc/dropbear/dropbear_ed25519_host_key. ",
  );
});

test("rdinit check misses what --ssh would have brought", async () => {
  const bare = join(dir, "bare.img");
  const [, modules = ""] = options;
  await run([RDINIT, "image", "-o", bare, "--modules", modules, "--drivers", "ext4", "--without-shell"]);
  const { status, stdout } = await tryRun([
    ...[RDINIT, "check", bare, "--root", elsewhere, "--cmdline", "root=nfs:10.0.0.1:/x ip=dhcp"],
  ]);
  expect(stdout).toContain("error: root=nfs:10.0.0.1:/x needs the module nfs, which is not in the image.\n");
  expect(stdout).toContain(
    "error: ip=dhcp needs a network interface, and the image has no module that drives one.\n",
  );
  expect(stdout).toContain("error: ip=dhcp asks for addresses by DHCP, and the image has no udhcpc.\n");
  expect(status).toBe(1);
});

test("parameters that ask for the network bring what they need", async () => {
  cpSync(staticBusybox(), join(root, "bin/busybox"));
  const file = join(dir, "asked.img");
  const [, modules = ""] = options;
  const build = ["--root", root, "--modules", modules, "--drivers", "virtio_net", "-o", file];
  const { stderr } = await tryRun([RDINIT, "image", ...build]);
  expect(stderr).toBe("rdinit image: what --network brings goes in, for ip=br0:dhcp.\n");
  const listed = await run([RDINIT, "list", file]);
  for (const name of ["nfs.ko", "nfsv4.ko", "nfsv3.ko", "bridge.ko", "udhcpc -> /bin/busybox"])
    expect(listed).toMatch(new RegExp(`/${name}$`, "m"));
  rmSync(join(root, "bin/busybox"));
  expect((await tryRun([RDINIT, "image", ...build])).stderr).toContain(
    "rdinit image: The image can't ask for addresses by DHCP, as no busybox is installed: ",
  );
}, 60_000);

test("where there is no way to a host key, a sentence tells two", async () => {
  const user =
    process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  const authorized = join(elsewhere, "client.pub");
  cpSync(join(dir, "client.pub"), authorized);
  chmodSync(elsewhere, 0o755);
  chmodSync(root, 0o755);
  const { status, stderr } = await tryRun([
    ...user,
    ...[RDINIT, "image", "-o", "/dev/null", "--root", root, "--drivers", "none", "--ssh"],
    ...["--authorized-keys", authorized],
  ]);
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /none can be made in \S*\/etc\/rdinit: EACCES.* Run this as root once, or name keys by --ssh-host-keys FILE\.\n$/,
  );
});
