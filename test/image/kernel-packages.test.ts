/** The scripts that README.md gives for kernel packages, run by what runs them: run-parts(8) and kernel-install(8). */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROJECT } from "../../qemu/host.ts";
import { type Kernel, stockKernel } from "../../qemu/kernel.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

/** It may fetch the kernel. */
const FETCH_MS = 900_000;
const TEST_MS = 60_000;

let kernel: Kernel;
beforeAll(async () => {
  kernel = await stockKernel();
}, FETCH_MS);

/** The script for a path, which the second line of its block names. */
function script(path: string): string {
  const readme = readFileSync(join(PROJECT, "README.md"), "utf8");
  const block = readme
    .split("\n\n")
    .find((text) => text.startsWith("    #!/bin/sh\n") && text.includes(`# ${path}\n`));
  if (block === undefined) throw new Error(`README.md has no script ${path}`);
  return `${block.replace(/^ {4}/gm, "")}\n`;
}

/** A machine's directories as far as the scripts see them: /boot, an rdinit in PATH, and the settings for it. */
function machine(image: string): { readonly root: string; readonly put: (path: string) => string } {
  const root = temporaryDirectory();
  const write = (path: string, content: string): string => {
    const to = join(root, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content, { mode: 0o755 });
    return to;
  };
  mkdirSync(join(root, "boot"));
  const config = write("etc/rdinit.ini", `[image]\n${image}\n`);
  const rdinit = `exec '${join(PROJECT, "build/rdinit")}'`;
  write("bin/rdinit", `#!/bin/sh\n${rdinit} "$@" --config '${config}'\n`);
  write("bin/rdinit-list", `#!/bin/sh\n${rdinit} list "$@"\n`);
  return { root, put: (path) => write(path, script(path).replaceAll("/boot/", `${root}/boot/`)) };
}

function run(
  root: string,
  argv: readonly string[],
  more: Record<string, string> = {},
): { readonly status: number; readonly said: string } {
  const env = { PATH: `${root}/bin:${process.env["PATH"]}`, HOME: root, ...more };
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { env });
  return { status: exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

/** Modules in an image; none when there is no image. */
function modulesIn(root: string, image: string): string[] {
  const { said } = run(root, [join(root, "bin/rdinit-list"), image]);
  return said.match(/lib\/modules\/\S+\.ko/g) ?? [];
}

const settings = (): string => `modules = ${kernel.modules}\ndrivers = virtio_blk`;
const driver = (): string => `lib/modules/${kernel.version}/kernel/drivers/block/virtio_blk.ko`;

/** What the maintainer scripts of a kernel's package do. */
function hooks(root: string, directory: string): ReturnType<typeof run> {
  const args = [kernel.version, `${root}/boot/vmlinuz-${kernel.version}`].map((arg) => `--arg=${arg}`);
  return run(root, ["run-parts", "--exit-on-error", ...args, directory]);
}

/** As on a machine with systemd-boot, which has an entry for each kernel. */
function add(root: string, plugin: string, generator: string): ReturnType<typeof run> {
  const conf = join(root, "etc/kernel/install.conf");
  writeFileSync(conf, `layout=bls\ninitrd_generator=${generator}\n`);
  mkdirSync(join(root, "boot/token"));
  return run(root, ["kernel-install", "add", kernel.version, kernel.vmlinuz], {
    KERNEL_INSTALL_CONF_ROOT: dirname(conf),
    KERNEL_INSTALL_PLUGINS: `${plugin} /usr/lib/kernel/install.d/90-loaderentry.install`,
    BOOT_ROOT: join(root, "boot"),
    ENTRY_TOKEN: "token",
    MACHINE_ID: "0123456789abcdef0123456789abcdef",
  });
}

describe("Debian's packages", () => {
  test(
    "an image comes with a kernel, and goes with it",
    () => {
      const { root, put } = machine(settings());
      const image = join(root, `boot/initrd.img-${kernel.version}`);
      expect(hooks(root, dirname(put("/etc/kernel/postinst.d/rdinit")))).toMatchObject({ status: 0 });
      expect(modulesIn(root, image)).toContain(driver());
      expect(hooks(root, dirname(put("/etc/kernel/postrm.d/rdinit")))).toMatchObject({ status: 0 });
      expect(existsSync(image)).toBe(false);
    },
    TEST_MS,
  );

  test(
    "one that can't be built is told, and leaves the one before",
    () => {
      const { root, put } = machine("modules = /no/such/directory\ndrivers = virtio_blk");
      const image = join(root, `boot/initrd.img-${kernel.version}`);
      writeFileSync(image, "the image before");
      const { status, said } = hooks(root, dirname(put("/etc/kernel/postinst.d/rdinit")));
      expect(status).not.toBe(0);
      expect(said).toContain("/no/such/directory");
      expect(readFileSync(image, "utf8")).toBe("the image before");
    },
    TEST_MS,
  );
});

describe("kernel-install", () => {
  const plugin = "/etc/kernel/install.d/50-rdinit.install";

  test(
    "the boot loader's entry names the image",
    () => {
      const { root, put } = machine(settings());
      expect(add(root, put(plugin), "rdinit")).toMatchObject({ status: 0 });
      expect(modulesIn(root, join(root, "boot/token", kernel.version, "initrd"))).toContain(driver());
      const entry = readFileSync(join(root, `boot/loader/entries/token-${kernel.version}.conf`), "utf8");
      expect(entry).toMatch(new RegExp(`^initrd +\\S*/token/${kernel.version}/initrd$`, "m"));
    },
    TEST_MS,
  );

  test("another generator's images are left to it", () => {
    const { root, put } = machine(settings());
    expect(add(root, put(plugin), "dracut")).toMatchObject({ status: 0 });
    expect(existsSync(join(root, "boot/token", kernel.version, "initrd"))).toBe(false);
  });

  test("one that can't be built is told", () => {
    const { root, put } = machine("modules = /no/such/directory\ndrivers = virtio_blk");
    const { status, said } = add(root, put(plugin), "rdinit");
    expect(status).not.toBe(0);
    expect(said).toContain("/no/such/directory");
  });
});
