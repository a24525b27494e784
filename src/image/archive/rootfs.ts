/**
 * What the kernel's rootfs holds once an image is unpacked into it: init/initramfs.c, do_name, do_symlink and maybe_link,
 * step by step, since later entries replace earlier ones in ways of their own.
 */

import { targetOf, type CpioMember } from "../cpio-reader.ts";
import { components, walk, type Place, type Walked } from "../walk.ts";

/** Something in the rootfs. All names of a file, its hard links, have the same node. */
export interface ArchiveNode {
  readonly type: CpioMember["type"];
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Of a block or char node, as "major:minor". */
  readonly rdev: string;
  /** The contents of a file. */
  readonly data: Uint8Array;
  /** What a symlink says. */
  readonly target: string | undefined;
  /** The names in a directory. */
  readonly names: ReadonlySet<string>;
}

/** An entry that the kernel leaves out, with the reason as half a sentence about it. */
export interface Lost {
  readonly path: string;
  readonly why: string;
}

/** The rootfs of an image, by absolute paths without symlinks in front of their last component. */
export interface Rootfs {
  readonly nodes: ReadonlyMap<string, ArchiveNode & Place>;
  readonly lost: readonly Lost[];
}

/** Unpacks `members` in their order. */
export function makeRootfs(members: Iterable<CpioMember>): Rootfs {
  const rootfs = new Unpacking();
  for (const member of members) rootfs.add(member);
  rootfs.setDirectoryTimes();
  return rootfs;
}

type MutableNode = { -readonly [Key in keyof ArchiveNode]: ArchiveNode[Key] } & Place & {
    names: Set<string>;
  };

const EMPTY = new Uint8Array(0);
const NAME_MAX = 255;
const NO_DIRECTORY = "the directory that it belongs in is not in the image";
const IN_THE_WAY = "something else is in its place";

/** What the kernel's own initramfs has made before (usr/default_cpio_list). */
const OWN_DIRECTORIES: Readonly<Record<string, number>> = { "/dev": 0o755, "/root": 0o700 };

class Unpacking implements Rootfs {
  readonly nodes = new Map<string, MutableNode>([["/", newNode("directory", { mode: 0o755 })]]);
  readonly lost: Lost[] = [];
  /** The first name of each file with several names, by what tells it apart. */
  private readonly firstNames = new Map<string, string>();
  private readonly directories: CpioMember[] = [];

  add(member: CpioMember): void {
    const why = this.unpack(member);
    if (why !== undefined) this.lost.push({ path: member.path, why });
  }

  /** At the very end, and from the last one back: of two entries for one directory, the first has its way. */
  setDirectoryTimes(): void {
    for (const { path, mtime } of this.directories.toReversed()) {
      const isOfDirectory = isDirectoryName(path);
      const node = this.find(path, isOfDirectory ? "follow" : "stay")?.place;
      if (node && (node.isDirectory || !isOfDirectory)) node.mtime = mtime;
    }
  }

  // Why it could not be done, if so.
  private unpack(member: CpioMember): string | undefined {
    const { path, type } = member;
    if (path === "") return "it has no name";
    const isFirst = this.keepFirstName(member);
    if (type === "directory") this.directories.push(member);
    if (isDirectoryName(path)) return this.addOrChangeDirectory(member, isFirst);
    const place = this.placeOf(path);
    if (place === undefined) return NO_DIRECTORY;
    if (split(place).name.length > NAME_MAX) return "its name is too long";
    if (type === "symlink") return this.addSymlink(place, member);
    if (this.nodes.get(place)?.type !== type) this.remove(place);
    if (type === "directory" || isFirst) return this.addOrChange(place, member, member.data);
    if (!this.link(place, member)) return "the file that it is a hard link of is gone";
    // A further name of a file brings its data or, mostly, none; a node is left as its first name made it.
    return type === "file"
      ? this.addOrChange(place, member, member.data.length > 0 ? member.data : undefined)
      : undefined;
  }

  private find(path: string, last: "follow" | "stay" = "follow"): Walked<MutableNode> | undefined {
    return walk(path, (place) => this.nodes.get(place), last);
  }

  // Where an entry goes: its parents' symlinks are followed.
  private placeOf(path: string): string | undefined {
    const names = components(path);
    const last = names.pop();
    const above = `/${names.join("/")}`;
    const own = OWN_DIRECTORIES[above];
    if (own !== undefined && !this.nodes.has(above)) this.put(above, newNode("directory", { mode: own }));
    const parent = this.find(above);
    return parent?.place.isDirectory ? `${parent.path === "/" ? "" : parent.path}/${last}` : undefined;
  }

  // By a name that only a directory can have.
  private addOrChangeDirectory(member: CpioMember, isFirst: boolean): string | undefined {
    const { path, type, uid, gid, mtime } = member;
    const found = this.find(path);
    if (found?.place.isDirectory && type === "directory") return this.addOrChange(found.path, member);
    const place = path.endsWith("/") ? this.placeOf(path) : undefined;
    const old = place === undefined ? undefined : this.nodes.get(place);
    if (place !== undefined && !old && type === "directory") return this.addOrChange(place, member);
    // Room is made for the entry, and then it can't be made by such a name; a directory that stays is changed all the same.
    if (place !== undefined && old?.isDirectory) this.remove(place);
    const left = this.find(path)?.place;
    if (left?.isDirectory && type === "symlink") Object.assign(left, { uid, gid, mtime });
    else if (left?.isDirectory && type !== "file" && isFirst)
      Object.assign(left, { mode: member.mode, uid, gid, mtime });
    return found ? IN_THE_WAY : NO_DIRECTORY;
  }

  // A directory in the place of another type stays, and all but files change its owner, mode and time.
  private addOrChange(place: string, member: CpioMember, data?: Uint8Array): string | undefined {
    const { type, mode, uid, gid, mtime, rdev } = member;
    const old = this.nodes.get(place);
    if (!old) this.put(place, newNode(type, { mode, uid, gid, mtime, rdev, data: data ?? EMPTY }));
    else if (old.type === type) Object.assign(old, { mode, uid, gid, mtime, data: data ?? old.data });
    else if (type !== "file") Object.assign(old, { mode, uid, gid, mtime });
    return old && old.type !== type ? IN_THE_WAY : undefined;
  }

  private addSymlink(place: string, member: CpioMember): string | undefined {
    this.remove(place);
    const { uid, gid, mtime } = member;
    const old = this.nodes.get(place);
    if (old) Object.assign(old, { uid, gid, mtime });
    if (old) return IN_THE_WAY;
    this.put(place, newNode("symlink", { mode: 0o777, uid, gid, mtime, target: targetOf(member) }));
    return undefined;
  }

  // Whether the entry is the first name of its file.
  private keepFirstName(member: CpioMember): boolean {
    if (member.nlink < 2 || member.type === "symlink") return true;
    const key = keyOf(member);
    if (this.firstNames.has(key)) return false;
    this.firstNames.set(key, member.path);
    return true;
  }

  // Makes `place` a further name of the file that the entry belongs to. False when that can't be.
  private link(place: string, member: CpioMember): boolean {
    this.remove(place);
    const firstName = this.firstNames.get(keyOf(member)) ?? "";
    const first = isDirectoryName(firstName) ? undefined : this.find(firstName, "stay")?.place;
    if (!first || first.isDirectory || this.nodes.has(place)) return false;
    this.put(place, first);
    // What has taken the first name since: the kernel would write to that, through a symlink, too.
    return member.type !== "file" || first.type === "file";
  }

  private put(place: string, node: MutableNode): void {
    this.nodes.set(place, node);
    const { parent, name } = split(place);
    this.nodes.get(parent)?.names.add(name);
  }

  // Directories go only when they are empty.
  private remove(place: string): void {
    const node = this.nodes.get(place);
    if (!node || node.names.size > 0 || place === "/") return;
    this.nodes.delete(place);
    const { parent, name } = split(place);
    this.nodes.get(parent)?.names.delete(name);
  }
}

// True of names that only a directory can have, or a symlink to one.
function isDirectoryName(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path);
}

function keyOf({ archive, dev, ino, type }: CpioMember): string {
  return `${archive} ${dev} ${ino} ${type}`;
}

function newNode(type: ArchiveNode["type"], fields: Partial<ArchiveNode>): MutableNode {
  const isDirectory = type === "directory";
  const bare = { mode: 0, uid: 0, gid: 0, mtime: 0, rdev: "0:0", data: EMPTY, target: undefined };
  return { ...bare, ...fields, type, isDirectory, names: new Set() };
}

function split(place: string): { parent: string; name: string } {
  const slash = place.lastIndexOf("/");
  return { parent: place.slice(0, slash) || "/", name: place.slice(slash + 1) };
}
