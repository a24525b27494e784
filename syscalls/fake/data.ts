/** Reading and writing in the fake kernel. */

import { O_ACCMODE, O_APPEND, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY } from "../constants.ts";
import type { Fd, Syscalls } from "../types.ts";
import type { Machine } from "./machine.ts";
import type { OpenFile, OpenNode, PipeEnd } from "./open-file.ts";
import { refuse } from "./refusal.ts";

export function data(machine: Machine) {
  return {
    read(fd, buffer) {
      const file = openedFor(machine, fd, O_WRONLY);
      if (file.kind === "pipe") return readPipe(machine, file, buffer);
      if (file.kind === "socket") throw new Error("the fake kernel reads sockets by recv alone");
      const count = readAt(machine, file, buffer, file.offset);
      file.offset += count;
      return count;
    },
    pread(fd, buffer, offset) {
      if (offset < 0) refuse("EINVAL");
      const file = openedFor(machine, fd, O_WRONLY);
      return file.kind === "node" ? readAt(machine, file, buffer, offset) : refuse("ESPIPE");
    },
    write(fd, bytes) {
      const file = openedFor(machine, fd, O_RDONLY);
      if (file.kind === "pipe") return writePipe(machine, file, bytes);
      if (file.kind === "socket") throw new Error("the fake kernel has nobody who would answer on a socket");
      return writeNode(machine, file, bytes);
    },
    ftruncate(fd, length) {
      const { file } = machine.descriptor(fd);
      if ((file.flags & O_PATH) !== 0) refuse("EBADF");
      const { inode } = file.position;
      if (length < 0 || (file.flags & O_ACCMODE) === O_RDONLY || inode.kind !== "file") refuse("EINVAL");
      const resized = new Uint8Array(length);
      resized.set(inode.bytes.subarray(0, length));
      inode.bytes = resized;
    },
  } satisfies Partial<Syscalls>;
}

/** The open file, unless its access mode is `other` or it was opened for its path alone. */
function openedFor(machine: Machine, fd: Fd, other: number): OpenFile {
  const { file } = machine.descriptor(fd);
  return (file.flags & O_PATH) !== 0 || (file.flags & O_ACCMODE) === other ? refuse("EBADF") : file;
}

function readAt(machine: Machine, file: OpenNode, buffer: Uint8Array, offset: number): number {
  const { inode } = file.position;
  switch (inode.kind) {
    case "directory":
      return refuse("EISDIR");
    case "file":
      return copy(buffer, (file.content ?? inode.bytes).subarray(offset));
    default:
      return copy(buffer, machine.deviceOf(inode)?.read?.(buffer.length, offset) ?? new Uint8Array());
  }
}

function writeNode(machine: Machine, file: OpenNode, bytes: Uint8Array): number {
  const { inode } = file.position;
  if (inode.kind !== "file") {
    const device = machine.deviceOf(inode);
    if (device?.write === undefined) refuse("EINVAL");
    device.write(bytes);
    return bytes.length;
  }
  if (inode.read !== undefined) {
    if (inode.write === undefined) refuse("EIO");
    inode.write(bytes);
    return bytes.length;
  }
  const at = (file.flags & O_APPEND) !== 0 ? inode.bytes.length : file.offset;
  const grown = new Uint8Array(Math.max(inode.bytes.length, at + bytes.length));
  grown.set(inode.bytes);
  grown.set(bytes, at);
  inode.bytes = grown;
  file.offset = at + bytes.length;
  return bytes.length;
}

function readPipe(machine: Machine, { pipe, flags }: PipeEnd, buffer: Uint8Array): number {
  if (pipe.bytes.length === 0) {
    if (!hasOtherEnd(machine, pipe, O_WRONLY)) return 0;
    if ((flags & O_NONBLOCK) !== 0) refuse("EAGAIN");
    throw new Error("the fake kernel's read of an empty pipe would block for ever");
  }
  const count = copy(buffer, pipe.bytes);
  pipe.bytes = pipe.bytes.slice(count);
  return count;
}

function writePipe(machine: Machine, { pipe }: PipeEnd, bytes: Uint8Array): number {
  if (!hasOtherEnd(machine, pipe, O_RDONLY)) refuse("EPIPE");
  pipe.bytes = Uint8Array.of(...pipe.bytes, ...bytes);
  return bytes.length;
}

function hasOtherEnd(machine: Machine, pipe: PipeEnd["pipe"], mode: number): boolean {
  return [...machine.fds.values()].some(
    ({ file }) => file.kind === "pipe" && file.pipe === pipe && (file.flags & O_ACCMODE) === mode,
  );
}

function copy(to: Uint8Array, from: Uint8Array): number {
  const count = Math.min(to.length, from.length);
  to.set(from.subarray(0, count));
  return count;
}
