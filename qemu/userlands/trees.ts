/**
 * Root trees of real Debian systems, one for each of its inits: made by mmdebstrap(1) from the archives that the
 * build machine's own apt uses, for its release, and kept in the cache.
 *
 * mmdebstrap and not debootstrap, as it runs apt itself: proxies, certificates and passwords count as they do for
 * the machine. All trees grow from one, which holds what they share.
 */

import { keptFile } from "../cache.ts";
import { run, tryRun } from "../host.ts";
import { type Kernel, stockKernel } from "../kernel.ts";
import { type Tree, withStaged } from "../tree.ts";
import { machineRelease } from "./apt.ts";
import { etcFiles } from "./etc.ts";
import { OPTIONS, mmdebstrap, squashed } from "./mmdebstrap.ts";
import { USERLANDS, type Userland, type UserlandName } from "./table.ts";

/** Why no tree can be made here; undefined when they can. */
export async function userlandsNeed(): Promise<string | undefined> {
  const { id, codename } = await machineRelease();
  if (id !== "debian" || codename === undefined)
    return `trees of Debian are made from the archives of the machine, and this one is no release of Debian (${id})`;
  const root = process.getuid?.() === 0;
  const mounts = root
    ? ["unshare", "--mount", "--pid", "--fork", "true"]
    : ["mmdebstrap", "--unshare-helper", "true"];
  if ((await tryRun(mounts)).status === 0) return undefined;
  return root
    ? "packages are installed under private mounts, and none can be made here"
    : "packages are installed as root, or in a user namespace with the IDs of /etc/subuid, and none can be made here";
}

/** What is installed besides the base, and how; Userland has more that its disks need. */
export type TreeRecipe = Pick<Userland, "packages" | "setup" | "files">;

/** The tree of the userland, as a squashfs with the kernel's modules in it. As debianTree(). */
export function userlandTree(name: UserlandName): Promise<string> {
  return debianTree(name, USERLANDS[name], etcFiles(USERLANDS[name].unlock));
}

/**
 * A tree of Debian as a squashfs, `etc` and the recipe's files in it; made when it is not there yet, which takes a minute
 * for the first and ten seconds or so for each of the others. Throws UserError when a program fails.
 */
export async function debianTree(name: string, recipe: TreeRecipe, etc: Tree): Promise<string> {
  const kernel = await stockKernel();
  const { codename = "" } = await machineRelease();
  const ofBase = JSON.stringify([kernel.version, codename, PACKAGES, NO_MODULES, OPTIONS, BASE_HOOKS]);
  const ofTree = JSON.stringify([TREE_HOOKS, recipe, etc]);
  const base = (): Promise<string> =>
    keptFile("userland-base.tar.zst", ofBase, (half) => makeBase(kernel, codename, half));
  return keptFile(`userland-${name}.squashfs`, ofBase + ofTree, async (half) =>
    makeTree(recipe, etc, codename, await base(), half),
  );
}

/** Unpacks the tree into `dir`, which must not exist. Not as root, all files are the user's. */
export async function unpackTree(file: string, dir: string): Promise<void> {
  await run(["unsquashfs", "-no-progress", "-no-xattrs", "-dest", dir, file]);
}

/** What all userlands have installed, besides what is essential. */
const PACKAGES = [
  ...["udev", "kmod", "mdadm", "lvm2", "cryptsetup", "e2fsprogs", "mount"],
  ...["login", "passwd", "procps"],
];

/** Of a kernel's folder: what no machine of the tests has. Three quarters of its bytes. */
const NO_MODULES = [
  "sound",
  "net",
  ...["net", "gpu", "media", "infiniband", "iio", "staging"].map((x) => `drivers/${x}`),
];

const BASE_HOOKS = [
  // Whoever sits at the console is root.
  '--customize-hook=chroot "$1" passwd -d root',
  // $1/lib is a link into /usr.
  '--customize-hook=tar -C "$MODULES/../../.." -c --owner=0 --group=0 $EXCLUDE "lib/modules/$VERSION" | tar -C "$1/usr" -x',
  '--customize-hook=depmod -b "$1" "$VERSION"',
];

const TREE_HOOKS = [
  '--customize-hook=tar -C "$ETC" -c --owner=0 --group=0 . | tar -C "$1" -x --no-overwrite-dir',
  // What the machine's apt was told for this one time.
  '--customize-hook=rm -rf "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/auth.conf*',
];

async function makeBase(kernel: Kernel, codename: string, to: string): Promise<void> {
  const exclude = NO_MODULES.map((name) => `--exclude=lib/modules/${kernel.version}/kernel/${name}`).join(
    " ",
  );
  const env = { MODULES: kernel.modules, VERSION: kernel.version, EXCLUDE: exclude };
  const argv = ["--variant=essential", `--include=${PACKAGES.join(",")}`, ...BASE_HOOKS];
  await mmdebstrap([...argv, codename, to], env);
}

async function makeTree(
  { packages, files, setup }: TreeRecipe,
  etcTree: Tree,
  codename: string,
  base: string,
  to: string,
): Promise<void> {
  const tree: Tree = [...etcTree, ...files, { path: "/dev", kind: "dir" }];
  const argv = [
    "--variant=custom",
    `--setup-hook=tar -C "$1" -xf "$BASE"`,
    `--include=${packages.join(",")}`,
    ...setup.map((line) => `--customize-hook=${line}`),
    ...TREE_HOOKS,
    // It would empty /etc/machine-id.
    "--skip=cleanup/reproducible",
  ];
  await squashed(to, (tar) =>
    withStaged(tree, async (etc) => {
      await mmdebstrap([...argv, codename, tar], { BASE: base, ETC: etc });
      await run(["tar", "-rf", tar, "-C", etc, "--owner=0", "--group=0", "./dev"]);
    }),
  );
}
