/** Arguments of QEMU for a machine with hundreds of disks, which cost the host nothing. */

/** A SCSI target of virtio-scsi has room for more; the kernel asks for at most so many at once. */
const LUNS_PER_TARGET = 128;

/**
 * `count` disks of 16 MiB that read as zeros, on one controller of virtio-scsi; with `last`, a file in raw format is the
 * last of them.
 */
export function manyDisks(count: number, last?: string): string[] {
  const argv = ["-device", "virtio-scsi-pci,id=many"];
  for (let at = 0; at < count; at++) {
    const drive =
      last !== undefined && at === count - 1
        ? `format=raw,snapshot=on,cache=unsafe,file=${last.replaceAll(",", ",,")}`
        : "driver=null-co,size=16M,read-zeroes=on";
    const place = `scsi-id=${Math.floor(at / LUNS_PER_TARGET)},lun=${at % LUNS_PER_TARGET}`;
    argv.push("-drive", `if=none,id=many${at},${drive}`);
    argv.push("-device", `scsi-hd,bus=many.0,${place},drive=many${at}`);
  }
  return argv;
}
