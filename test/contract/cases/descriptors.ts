/** Descriptors, and what is read and written by them. */

import {
  CLOSE_RANGE_CLOEXEC,
  FD_CLOEXEC,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  MFD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  list,
  mkdirs,
  readFile,
  readText,
  writeAll,
  writeFile,
} from "../../../syscalls/index.ts";
import { fromBytes, toBytes } from "../../../src/lib/bytes.ts";
import type { Case } from "../contract.ts";

/** Descriptors that nothing else has. */
const high = 900;

export const descriptorCases: readonly Case[] = [
  {
    name: "read and write",
    run(t) {
      const { sys } = t;
      const fd = sys.open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0o644);
      t.returns("ten bytes", 10, () => sys.write(fd, toBytes("0123456789")));
      t.returns("nothing", 0, () => sys.write(fd, new Uint8Array()));
      t.returns("at the end", 0, () => sys.read(fd, new Uint8Array(4)));
      const buffer = new Uint8Array(4);
      t.returns("at an offset", 4, () => sys.pread(fd, buffer, 3));
      t.returns("the bytes", "3456", () => fromBytes(buffer));
      t.returns("into no space", 0, () => sys.pread(fd, new Uint8Array(), 0));
      t.returns("into the middle of a buffer", "..01..", () => {
        const whole = toBytes("......");
        sys.pread(fd, whole.subarray(2, 4), 0);
        return fromBytes(whole);
      });
      t.fails("at a negative offset", "EINVAL", () => sys.pread(fd, buffer, -1));
      t.works("cut", () => sys.ftruncate(fd, 3));
      t.returns("what is left", "012", () => readText(sys, "file"));
      t.works("stretched", () => sys.ftruncate(fd, 5));
      t.returns("with zeros", "012\0\0", () => readText(sys, "file"));
      t.fails("cut below nothing", "EINVAL", () => sys.ftruncate(fd, -1));
      sys.close(fd);
      t.fails("closed twice", "EBADF", () => sys.close(fd));
      t.fails("reading no descriptor", "EBADF", () => sys.read(-1, buffer));
      t.fails("writing to no descriptor", "EBADF", () => sys.write(-1, buffer));
    },
  },
  {
    name: "access modes",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "first ");
      const [reader, writer] = [sys.open("file", O_RDONLY), sys.open("file", O_WRONLY | O_APPEND)];
      const dir = sys.open(".", O_RDONLY | O_DIRECTORY);
      const buffer = new Uint8Array(8);
      t.fails("writing to a reader", "EBADF", () => sys.write(reader, buffer));
      t.fails("reading a writer", "EBADF", () => sys.read(writer, buffer));
      t.fails("reading a directory", "EISDIR", () => sys.read(dir, buffer));
      t.fails("cutting by a reader", "EINVAL", () => sys.ftruncate(reader, 0));
      t.fails("listing a file", "ENOTDIR", () => sys.getdents(reader));
      t.fails("listing no descriptor", "EBADF", () => sys.getdents(-1));
      t.returns("appending", 4, () => sys.write(writer, toBytes("last")));
      t.returns("the file", "first last", () => readText(sys, "file"));
      for (const fd of [reader, writer, dir]) sys.close(fd);
    },
  },
  {
    name: "large files",
    run(t) {
      const { sys } = t;
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 0xff);
      const fd = sys.open("file", O_WRONLY | O_CREAT, 0o644);
      t.works("100000 bytes", () => writeAll(sys, fd, bytes));
      sys.close(fd);
      t.returns("read again", true, () => Buffer.compare(readFile(sys, "file"), bytes) === 0);
    },
  },
  {
    name: "directories",
    run(t) {
      const { sys } = t;
      const names = Array.from({ length: 300 }, (_, i) => `${i} ${"x".repeat(200)}`);
      mkdirs(sys, "many/of/them");
      for (const name of names) writeFile(sys, `many/of/them/${name}`, "");
      t.returns("300 names", [...names].sort(), () => list(sys, "many/of/them").map((entry) => entry.name));
      sys.mkdir("dir", 0o755);
      sys.symlink("x", "\xff\x01");
      const found = [
        { name: "dir", type: "directory" },
        { name: "many", type: "directory" },
        { name: "\xff\x01", type: "symlink" },
      ];
      t.returns("names and types", found, () => list(sys, "."));
      const dir = sys.open("dir", O_RDONLY | O_DIRECTORY);
      t.returns("an empty directory", [], () => sys.getdents(dir));
      t.returns("an empty directory again", [], () => sys.getdents(dir));
      sys.close(dir);
    },
  },
  {
    name: "copies of descriptors",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "0123");
      const fd = sys.open("file", O_RDWR | O_CLOEXEC);
      t.works("a copy", () => sys.dup3(fd, high, 0));
      t.returns("the same position", "01", () => {
        const [one, two] = [new Uint8Array(1), new Uint8Array(1)];
        sys.read(fd, one);
        sys.read(high, two);
        return fromBytes(one) + fromBytes(two);
      });
      t.returns("stays over exec", 0, () => sys.fcntl(high, F_GETFD, 0));
      t.works("a copy to close", () => sys.dup3(fd, high, O_CLOEXEC));
      t.returns("ends at exec", FD_CLOEXEC, () => sys.fcntl(high, F_GETFD, 0));
      t.returns("changed", 0, () => sys.fcntl(high, F_SETFD, 0));
      t.returns("stays again", 0, () => sys.fcntl(high, F_GETFD, 0));
      t.returns("the next free", high + 1, () => sys.fcntl(fd, F_DUPFD_CLOEXEC, high));
      t.returns("not to block", 0, () => sys.fcntl(fd, F_SETFL, O_NONBLOCK));
      t.returns("of every copy", O_RDWR | O_NONBLOCK, () => sys.fcntl(high, F_GETFL, 0) & ~0o100000);
      t.fails("on itself", "EINVAL", () => sys.dup3(fd, fd, 0));
      t.fails("with unknown flags", "EINVAL", () => sys.dup3(fd, high, 1));
      t.fails("of nothing", "EBADF", () => sys.dup3(-1, high, 0));
      t.fails("to nowhere", "EBADF", () => sys.dup3(fd, -1, 0));
      t.fails("an unknown command", "EINVAL", () => sys.fcntl(fd, 9999, 0));
      t.fails("a command on nothing", "EBADF", () => sys.fcntl(-1, F_GETFD, 0));
      for (const each of [fd, high, high + 1]) sys.close(each);
    },
  },
  {
    name: "close_range",
    run(t) {
      const { sys } = t;
      const fd = sys.open("/dev/null", O_RDONLY);
      for (const to of [high, high + 1, high + 5]) sys.dup3(fd, to, 0);
      sys.close(fd);
      t.works("marking", () => sys.closeRange(high, high + 1, CLOSE_RANGE_CLOEXEC));
      t.returns("those inside", [FD_CLOEXEC, FD_CLOEXEC, 0], () =>
        [high, high + 1, high + 5].map((each) => sys.fcntl(each, F_GETFD, 0)),
      );
      t.works("closing", () => sys.closeRange(high, high + 5, 0));
      for (const each of [high, high + 1, high + 5])
        t.fails(`descriptor ${each}`, "EBADF", () => sys.fcntl(each, F_GETFD, 0));
      t.works("a range with none open", () => sys.closeRange(0xffff_fff0, 0xffff_ffff, 0));
      t.fails("the wrong way round", "EINVAL", () => sys.closeRange(high, high - 1, 0));
      t.fails("with unknown flags", "EINVAL", () => sys.closeRange(high, high, 0x100));
    },
  },
  {
    name: "pipes",
    run(t) {
      const { sys } = t;
      const pipe = t.works("a pipe", () => sys.pipe(O_CLOEXEC | O_NONBLOCK));
      const buffer = new Uint8Array(8);
      t.returns("marked", FD_CLOEXEC, () => sys.fcntl(pipe.read, F_GETFD, 0));
      t.fails("reading it empty", "EAGAIN", () => sys.read(pipe.read, buffer));
      t.returns("writing", 5, () => sys.write(pipe.write, toBytes("bytes")));
      t.returns("reading", 5, () => sys.read(pipe.read, buffer));
      t.returns("the bytes", "bytes", () => fromBytes(buffer.subarray(0, 5)));
      t.fails("at an offset", "ESPIPE", () => sys.pread(pipe.read, buffer, 0));
      t.fails("from the wrong end", "EBADF", () => sys.read(pipe.write, buffer));
      const other = sys.pipe(O_CLOEXEC);
      sys.close(other.write);
      t.returns("at its end", 0, () => sys.read(other.read, buffer));
      sys.close(pipe.read);
      t.fails("that nobody reads", "EPIPE", () => sys.write(pipe.write, buffer));
      for (const fd of [pipe.write, other.read]) sys.close(fd);
      t.fails("with unknown flags", "EINVAL", () => sys.pipe(1));
    },
  },
  {
    name: "memory files",
    run(t) {
      const { sys } = t;
      const fd = t.works("a file", () => sys.memfd("name", MFD_CLOEXEC));
      t.returns("writing", 4, () => sys.write(fd, toBytes("here")));
      t.returns("its size", 4, () => sys.fstat(fd).size);
      sys.close(fd);
      t.fails("a name of 250 bytes", "EINVAL", () => sys.memfd("m".repeat(250), 0));
      t.fails("with unknown flags", "EINVAL", () => sys.memfd("name", 0x400));
      t.works("sync", () => sys.sync());
    },
  },
];
