/**
 * `make kernel`: the small kernel of the boot tests with an image of rdinit inside it, one file that boots
 * without -initrd.
 *
 *   bun qemu/embed.ts [--form directory|list|cpio] [OPTION OF rdinit image]...
 */

import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readCpio, targetOf, type CpioMember } from "../src/image/cpio-reader.ts";
import { initramfsList } from "../src/image/gen-init-cpio.ts";
import { hostPath } from "../src/image/root-tree.ts";
import { fromBytes, text, toBytes } from "../src/lib/bytes.ts";
import { UserError, describe } from "../src/lib/errors.ts";
import { builtinKernelWith, builtinTree } from "./builtin.ts";
import { cacheDir, fingerprint, PROJECT, run, withLock } from "./host.ts";

/** The things that CONFIG_INITRAMFS_SOURCE can name; a folder has a list beside it, for the device nodes. */
export const FORMS = ["directory", "list", "cpio"] as const;
export type Form = (typeof FORMS)[number];

/**
 * Lays an image out in `dir` in this form, and returns what CONFIG_INITRAMFS_SOURCE has to say for it. `options`
 * are those of `rdinit image`; without --drivers the image holds none, as all are in the kernel. Needs no root.
 */
export async function initramfsSource(form: Form, dir: string, options: readonly string[]): Promise<string> {
  if (/\s/.test(dir))
    throw new UserError(`The kernel's build can't read an image in ${dir}, as there is a blank in its path.`);
  if (form === "list") {
    const list = join(dir, "image.list");
    await run([RDINIT, "initramfs-list", ...imageOptions(list, options)]);
    return list;
  }
  const archive = join(dir, "image.cpio");
  await run([RDINIT, "image", "--compress", "none", ...imageOptions(archive, options)]);
  if (form === "cpio") return archive;
  const members = [...readCpio(readFileSync(archive))];
  const [folder, list] = [join(dir, "image"), join(dir, "nodes.list")];
  layOut(members, folder);
  await Bun.write(list, nodesOf(members));
  return `${folder} ${list}`;
}

/**
 * The small kernel with this image inside it, from the cache; linked when it is not there yet. The image itself
 * is made each time, as only that tells whether the one in the cache is still right.
 */
export async function embeddedKernel(form: Form, options: readonly string[]): Promise<string> {
  const { objects } = await builtinTree();
  return withLock("embedded", async () => {
    const work = join(cacheDir(), "embedded.work");
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work);
    try {
      const archive = await initramfsSource("cpio", work, options);
      const hash = createHash("sha256").update(readFileSync(archive)).digest();
      const dir = join(cacheDir(), `embedded-${fingerprint(join(objects, ".."), form, hash)}`);
      const kernel = join(dir, "bzImage");
      if (existsSync(kernel)) return kernel;
      const half = join(work, "bzImage");
      await builtinKernelWith(form === "cpio" ? archive : await initramfsSource(form, work, options), half);
      for (const name of readdirSync(cacheDir()))
        if (name.startsWith("embedded-")) rmSync(join(cacheDir(), name), { recursive: true, force: true });
      mkdirSync(dir);
      renameSync(half, kernel);
      return kernel;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
}

const RDINIT = join(PROJECT, "build/rdinit");

// The plain form of rdinit: the small kernel has no userfaultfd(2), with which the packed one is quick.
function imageOptions(output: string, options: readonly string[]): string[] {
  const drivers = options.some((word) => /^--(drivers|host|generic)\b/.test(word))
    ? []
    : ["--drivers", "none"];
  return ["-o", output, "--init", RDINIT, ...drivers, ...options];
}

// Unpacks all but device nodes; no image of ours has hard links. What the user's files are is root's in the kernel.
function layOut(members: readonly CpioMember[], folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const base = fromBytes(Buffer.from(folder));
  for (const member of members) {
    const { path, type } = member;
    if (/\s/.test(path)) throw new UserError(`"${text(path)}" has a blank in its name: take the form cpio.`);
    const to = hostPath(`${base}/${path}`);
    if (type === "directory") mkdirSync(to);
    else if (type === "symlink") symlinkSync(Buffer.from(toBytes(targetOf(member))), to);
    else if (type === "file") writeFileSync(to, member.data);
  }
  // Last, as nothing can be put into some.
  for (const { path, type, mode } of members)
    if (type === "file" || type === "directory") chmodSync(hostPath(`${base}/${path}`), mode);
}

// The list of the device nodes, which only root could put into a folder.
function nodesOf(members: readonly CpioMember[]): string {
  const nodes = members.flatMap(({ path, type, mode, uid, gid, rdev }) =>
    type === "char" || type === "block" ? [{ path, type, mode, uid, gid, rdev }] : [],
  );
  return initramfsList(nodes, { folder: "/", workingDirectory: "/" }).text;
}

async function main(argv: readonly string[]): Promise<void> {
  const named = argv[0] === "--form";
  const wish = (named ? argv[1] : "") || "list";
  const form = FORMS.find((one) => one === wish);
  if (form === undefined)
    throw new UserError(`'${wish}' is no form of an image.`, `There are ${FORMS.join(", ")}.`);
  const kernel = await embeddedKernel(form, argv.slice(named ? 2 : 0));
  const qemu = "qemu-system-x86_64 -accel tcg -cpu max -m 1024 -nographic -no-reboot";
  console.log(
    [
      kernel,
      "",
      "A kernel with rdinit inside it. It boots without an initramfs beside it, by any boot loader or by",
      "",
      `  ${qemu} \\`,
      `    -kernel ${kernel} \\`,
      '    -append "console=ttyS0 root=/dev/vda" -drive file=DISK,format=raw,if=virtio',
    ].join("\n"),
  );
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (thrown) {
    console.error(describe(thrown));
    process.exit(1);
  }
}
