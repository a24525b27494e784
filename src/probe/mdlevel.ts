/** What both versions of the md superblock share. */

/** The first word of every md superblock. */
export const md_magic = 0xa92b4efc;

/** A level as mdadm(8) names it; the number itself where it has no name. */
export function levelName(word: number): string {
  const level = word | 0;
  return names.get(level) ?? (level >= 0 ? `raid${level}` : `${level}`);
}

// Negative numbers stand for the personalities that are no RAID.
const names: ReadonlyMap<number, string> = new Map([
  [-1, "linear"],
  [-4, "multipath"],
  [-5, "faulty"],
]);
