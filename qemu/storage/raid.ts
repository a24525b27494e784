/** Disks with arrays of every level and metadata version, made in a guest; a root on each array. */

import type { MakerRecipe } from "../maker.ts";
import type { Tree } from "../tree.ts";

/** How the disks of one array are made. */
interface ArrayDisks {
  /** Names the array, and its disks: "raid5-0.img". */
  readonly name: string;
  readonly level: 0 | 1 | 4 | 5 | 6 | 10;
  readonly disks: number;
  readonly metadata: "0.90" | "1.0" | "1.1" | "1.2";
}

/** One array of each level but the mirror. */
export const LEVEL_ARRAYS: readonly ArrayDisks[] = [
  { name: "raid0", level: 0, disks: 2, metadata: "1.2" },
  { name: "raid4", level: 4, disks: 3, metadata: "1.2" },
  { name: "raid5", level: 5, disks: 3, metadata: "1.2" },
  { name: "raid6", level: 6, disks: 4, metadata: "1.2" },
  { name: "raid10", level: 10, disks: 4, metadata: "1.2" },
];

/** One mirror with each version of the metadata. */
export const MIRROR_ARRAYS: readonly ArrayDisks[] = (["0.90", "1.0", "1.1", "1.2"] as const).map(
  (metadata) => ({ name: `mirror-${metadata}`, level: 1, disks: 2, metadata }),
);

/** The UUID of every array here, as mdadm prints it; one machine is given one array. */
export const ARRAY_UUID = "5d1e0c0b:01020304:a1b2c3d4:0f0e0d0c";

/** The UUID of the root's file system. */
export const ARRAY_ROOT_UUID = "c0ffee11-1234-4567-89ab-cdef01234567";

const DISK_MB = 24;

/** All disks of these arrays, those of one array behind each other. */
export function arrayDisks(name: string, arrays: readonly ArrayDisks[], tree: Tree): MakerRecipe {
  let first = 0;
  const script = arrays.flatMap((array) => {
    const nodes = Array.from({ length: array.disks }, (_, at) => node(first + at));
    first += array.disks;
    return [...create(array, nodes), "fill /dev/md0", "mdadm --stop /dev/md0"];
  });
  return recipe(name, arrays, script, tree);
}

/** Those of the files that arrayDisks() gave which belong to the array of this name. */
export function disksOf(arrays: readonly ArrayDisks[], name: string, files: readonly string[]): string[] {
  const at = arrays.findIndex((array) => array.name === name);
  const first = arrays.slice(0, at).reduce((sum, array) => sum + array.disks, 0);
  return files.slice(first, first + (arrays[at]?.disks ?? 0));
}

/** A mirror with a partition table on it, the root in its first partition. */
export function partitionedArray(tree: Tree): MakerRecipe {
  const array: ArrayDisks = { name: "parted", level: 1, disks: 2, metadata: "1.2" };
  const script = [
    ...create(array, [node(0), node(1)]),
    "printf 'n\\np\\n1\\n\\n\\nw\\n' | fdisk /dev/md0",
    "fill /dev/md0p1",
    "mdadm --stop /dev/md0",
  ];
  return recipe("raid-parted", [array], script, tree);
}

/** A mirror of which the first half was used on without the second, which does not know it. */
export function staleMirror(tree: Tree): MakerRecipe {
  const array: ArrayDisks = { name: "stale", level: 1, disks: 2, metadata: "1.2" };
  const script = [
    ...create(array, [node(0), node(1)]),
    "fill /dev/md0",
    "mdadm /dev/md0 --fail /dev/vdb",
    "mdadm /dev/md0 --remove /dev/vdb",
    "mount -t ext4 /dev/md0 /mnt",
    "echo newer >/mnt/newer",
    "umount /mnt",
    "mdadm --stop /dev/md0",
  ];
  return recipe("raid-stale", [array], script, tree);
}

// --assume-clean: the disks are empty, so parity and copies are right already and no resync runs.
function create({ name, level, metadata, disks }: ArrayDisks, nodes: readonly string[]): string[] {
  const named = metadata === "0.90" ? "" : `--homehost=any --name=${name}`;
  return [
    `mdadm --create /dev/md0 --run --assume-clean --level=${level} --raid-devices=${disks} \\`,
    `  ${level === 0 ? "" : "--bitmap=none"} --metadata=${metadata} --uuid=${ARRAY_UUID} ${named} ${nodes.join(" ")}`,
  ];
}

function node(index: number): string {
  return `/dev/vd${String.fromCharCode("a".charCodeAt(0) + index)}`;
}

function recipe(
  name: string,
  arrays: readonly ArrayDisks[],
  script: readonly string[],
  tree: Tree,
): MakerRecipe {
  const fill = [
    "fill() {",
    `  mkfs.ext4 -q -F -U ${ARRAY_ROOT_UUID} "$1"`,
    '  mount -t ext4 "$1" /mnt',
    "  cp -a /tree/. /mnt/",
    "  umount /mnt",
    "}",
  ];
  const disks = arrays.flatMap((array) =>
    Array.from({ length: array.disks }, (_, at) => ({ name: `${array.name}-${at}.img`, size_mb: DISK_MB })),
  );
  return { name, disks, script: `${[...fill, ...script].join("\n")}\n`, tree };
}
