/** Disks that answer reads with errors: QEMU's blkdebug (docs/devel/blkdebug.txt). */

/** What of a disk can't be read. */
export interface Failing {
  readonly file: string;
  /** The number of a sector of 512 bytes: reads that touch it fail. All do when it is left out. */
  readonly sector?: number;
}

/** QEMU's arguments for such disks, behind those that a machine has besides; nothing is written to their files. */
export function failingDisks(disks: readonly Failing[]): string[] {
  return disks.flatMap(({ file, sector }, at) => {
    const error = `file.inject-error.0`;
    const drive = [
      ...["if=none", `id=failing${at}`, "format=raw", "file.driver=blkdebug", "readonly=on"],
      ...["file.image.driver=file", `file.image.filename=${file.replaceAll(",", ",,")}`],
      ...[`${error}.event=none`, `${error}.iotype=read`, `${error}.errno=5`],
      ...(sector === undefined ? [] : [`${error}.sector=${sector}`]),
    ];
    return ["-drive", drive.join(","), "-device", `virtio-blk-pci,drive=failing${at}`];
  });
}
