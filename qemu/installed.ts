/** A kernel as it lies on a disk. */

export interface Kernel {
  /** What `uname -r` says under it. */
  readonly version: string;
  readonly vmlinuz: string;
  /** Its lib/modules/VERSION folder, with the lists that depmod makes. */
  readonly modules: string;
}
