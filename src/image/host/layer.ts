/** What lies below a mounted file system: the layers that must be there before it, down to the hardware. */

/** What a layer is. */
export type LayerKind =
  | "file system"
  | "partition"
  | "disk"
  | "array"
  | "volume"
  | "encryption"
  | "mapping"
  | "multipath"
  | "cache"
  | "loop"
  | "network";

/** A program that somebody needs, by the name of its recipe. */
export interface Tool {
  readonly name: string;
  /** A clause for people: "/dev/md0 is a RAID array". */
  readonly why: string;
}

/** One layer, and all that is below it. Strings from the kernel are byte strings. */
export interface Layer {
  readonly kind: LayerKind;
  /** Its device node ("/dev/mapper/vg-root"); for a file system its mount point, or the node when it has none. */
  readonly node: string;
  /** "MAJOR:MINOR"; undefined for what is on no block device of its own. */
  readonly rdev: string | undefined;
  /** In one word for people: "ext4", "raid1", "LVM", "LUKS2". */
  readonly what: string;
  /** The UUID of an array or of a LUKS header, where the kernel tells it: 32 hexadecimal digits. */
  readonly uuid?: string;
  /** True for what a network has to lead to. */
  readonly isOnNetwork?: boolean;
  /** Modules that are loaded for it. */
  readonly modules: readonly string[];
  /** Names, aliases and modaliases of what would serve it in another kernel. */
  readonly modulesIfThere: readonly string[];
  readonly tools: readonly Tool[];
  /** Sentences about what can't be had. */
  readonly notes: readonly string[];
  readonly below: readonly Layer[];
}

/** A layer and all below it, each once, the upper ones first. */
export function allLayers(tops: readonly Layer[]): Layer[] {
  const found = new Set<Layer>();
  const visit = (layer: Layer): void => {
    if (found.has(layer)) return;
    found.add(layer);
    for (const below of layer.below) visit(below);
  };
  for (const top of tops) visit(top);
  return [...found];
}
