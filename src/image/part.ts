/** What one subject brings into an image: a tool, this machine's root disk, a key of rdinit.ini. */

/** A file whose contents are made for the image. */
export interface MadeFile {
  /** Its path in the image, absolute. */
  readonly to: string;
  readonly data: Uint8Array;
  /** Permission bits; 0644 when left out. */
  readonly mode?: number;
}

/** All paths are absolute byte strings within the root that the image is made from. */
export interface Part {
  /** Why its files are in the image, for `--verbose`: "the tool mdadm", "the disk below /". */
  readonly why: string;
  /** Programs, and the libraries and plugins that they open while they run; all get the libraries that they need. */
  readonly programs?: readonly string[];
  /** Files that are taken as they are; of a directory, all that is below it. */
  readonly files?: readonly string[];
  readonly made?: readonly MadeFile[];
  /** Symlinks that the root does not have: `target` is what they say, `path` where they are. */
  readonly links?: readonly { readonly path: string; readonly target: string }[];
  /** Kernel modules by name, alias or modalias that must be there or be part of the kernel. */
  readonly modules?: readonly string[];
  /** The same, left out with a note where there are none: the driver may be called otherwise in this kernel. */
  readonly modulesExpected?: readonly string[];
  /** The same, left out without a word where there are none. */
  readonly modulesIfThere?: readonly string[];
  /** A person named its files: what other parts have for the same places stays out. */
  readonly wins?: boolean;
  /** Sentences about what could not be had. */
  readonly notes?: readonly string[];
}
