/** What a partition table says, of whichever kind. */

export interface Partition {
  /** As in the kernel's names: 1 is vda1. */
  readonly number: number;
  readonly start_bytes: number;
  readonly size_bytes: number;
  /** PARTUUID, lower case: a GUID, or `%08x-%02x` of disk signature and number. */
  readonly uuid: string;
  /** A GUID in lower case, or "0x83". */
  readonly type: string;
  /** PARTLABEL: UTF-8 in a byte string; empty where there is none. */
  readonly name: string;
}

export interface PartitionTable {
  readonly scheme: "gpt" | "dos";
  /** PTUUID: the disk's GUID, or its signature in eight digits. Empty for a GPT of which nothing is left. */
  readonly id: string;
  /** In ascending order of their numbers. Extended partitions are listed, with the size that the table says. */
  readonly partitions: readonly Partition[];
  /** What is wrong with the table, a sentence without its full stop. */
  readonly damaged?: string;
}
