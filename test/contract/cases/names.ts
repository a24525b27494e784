/** Files looked up by name. */

import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  PROC_SUPER_MAGIC,
  readText,
  writeFile,
} from "../../../syscalls/index.ts";
import type { Case } from "../contract.ts";

const longName = "n".repeat(256);
const longPath = "./".repeat(3000);
/** A name that is no UTF-8. */
const oddName = "\xff\xfe \n\x01";

export const nameCases: readonly Case[] = [
  {
    name: "open",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "content");
      sys.mkdir("dir", 0o755);
      t.fails("a missing file", "ENOENT", () => sys.open("missing", O_RDONLY));
      t.fails("below a missing directory", "ENOENT", () => sys.open("missing/file", O_RDONLY));
      t.fails("an empty path", "ENOENT", () => sys.open("", O_RDONLY));
      t.fails("below a file", "ENOTDIR", () => sys.open("file/x", O_RDONLY));
      t.fails("a file with a slash", "ENOTDIR", () => sys.open("file/", O_RDONLY));
      t.fails("a file as a directory", "ENOTDIR", () => sys.open("file", O_RDONLY | O_DIRECTORY));
      t.fails("a directory for writing", "EISDIR", () => sys.open("dir", O_WRONLY));
      t.fails("a directory to be made", "EISDIR", () => sys.open("dir", O_RDONLY | O_CREAT, 0o600));
      t.fails("a new file with a slash", "EISDIR", () => sys.open("new/", O_WRONLY | O_CREAT, 0o600));
      t.fails("a file that exists", "EEXIST", () => sys.open("file", O_WRONLY | O_CREAT | O_EXCL, 0o600));
      t.fails("a name of 256 bytes", "ENAMETOOLONG", () => sys.open(longName, O_RDONLY));
      t.fails("a path of 6000 bytes", "ENAMETOOLONG", () => sys.open(longPath, O_RDONLY));
      t.fails("a path with a NUL", "EINVAL", () => sys.open("file\0x", O_RDONLY));
      t.fails("a descriptor that is closed", "EBADF", () => sys.openat(-1, "file", O_RDONLY));
      const file = t.works("a file", () => sys.open("file", O_RDONLY));
      t.fails("below a descriptor of a file", "ENOTDIR", () => sys.openat(file, "x", O_RDONLY));
      const absolute = t.works("an absolute path, whatever the descriptor", () =>
        sys.openat(-1, `${t.dir}/file`, O_RDONLY),
      );
      for (const fd of [file, absolute]) sys.close(fd);
    },
  },
  {
    name: "open through links",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "content");
      sys.symlink("file", "link");
      sys.symlink("circle", "circle");
      sys.symlink("made", "dangling");
      t.returns("a link", "content", () => readText(sys, "link"));
      t.fails("a link that is not to be followed", "ELOOP", () => sys.open("link", O_RDONLY | O_NOFOLLOW));
      t.fails("such a link as a directory", "ENOTDIR", () =>
        sys.open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY),
      );
      t.fails("a link to itself", "ELOOP", () => sys.open("circle", O_RDONLY));
      t.fails("a link to nothing", "ENOENT", () => sys.open("dangling", O_RDONLY));
      t.fails("a new file where a link is", "EEXIST", () =>
        sys.open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0o600),
      );
      sys.close(t.works("a new file through a link", () => sys.open("dangling", O_WRONLY | O_CREAT, 0o600)));
      t.returns("the new file", "file", () => sys.stat(AT_FDCWD, "made", AT_SYMLINK_NOFOLLOW).type);
      const link = t.works("a link's own descriptor", () => sys.open("link", O_PATH | O_NOFOLLOW));
      t.returns("what it is", "symlink", () => sys.fstat(link).type);
      t.fails("reading it", "EBADF", () => sys.read(link, new Uint8Array(1)));
      sys.close(link);
    },
  },
  {
    name: "stat",
    run(t) {
      const { sys } = t;
      sys.umask(0o022);
      writeFile(sys, "file", "12345");
      sys.mkdir("dir", 0o750);
      sys.symlink("file", "link");
      sys.mknod("fifo", "fifo", 0o640, "0:0");
      const seen = (path: string, flags = 0) => {
        const { type, mode, size, rdev } = sys.stat(AT_FDCWD, path, flags);
        return type === "directory" ? { type, mode, rdev } : { type, mode, size, rdev };
      };
      t.returns("a file", { type: "file", mode: 0o644, size: 5, rdev: "0:0" }, () => seen("file"));
      t.returns("a directory", { type: "directory", mode: 0o750, rdev: "0:0" }, () => seen("dir"));
      t.returns("a fifo", { type: "fifo", mode: 0o640, size: 0, rdev: "0:0" }, () => seen("fifo"));
      t.returns("through a link", { type: "file", mode: 0o644, size: 5, rdev: "0:0" }, () => seen("link"));
      t.returns("a link", { type: "symlink", mode: 0o777, size: 4, rdev: "0:0" }, () =>
        seen("link", AT_SYMLINK_NOFOLLOW),
      );
      t.returns("a device", { type: "char", rdev: "1:3" }, () => {
        const { type, rdev } = sys.stat(AT_FDCWD, "/dev/null");
        return { type, rdev };
      });
      t.returns("the same file twice", true, () => {
        const fd = sys.open("file", O_RDONLY);
        const [byName, byFd] = [sys.stat(AT_FDCWD, "link"), sys.fstat(fd)];
        sys.close(fd);
        return byName.ino === byFd.ino && byName.dev === byFd.dev && byName.mountId === byFd.mountId;
      });
      t.fails("a missing file", "ENOENT", () => sys.stat(AT_FDCWD, "missing"));
      t.fails("below a file", "ENOTDIR", () => sys.stat(AT_FDCWD, "file/x"));
      t.fails("below no descriptor", "EBADF", () => sys.stat(-1, "file"));
      t.fails("no descriptor", "EBADF", () => sys.fstat(-1));
      t.fails("an empty path", "ENOENT", () => sys.stat(AT_FDCWD, ""));
    },
  },
  {
    name: "statfs",
    run(t) {
      const { sys } = t;
      t.returns("/proc", { type: PROC_SUPER_MAGIC }, () => sys.statfs("/proc"));
      const fd = sys.open("/proc", O_RDONLY);
      t.returns("/proc by descriptor", { type: PROC_SUPER_MAGIC }, () => sys.fstatfs(fd));
      sys.close(fd);
      t.fails("a missing file", "ENOENT", () => sys.statfs("missing"));
      t.fails("no descriptor", "EBADF", () => sys.fstatfs(-1));
    },
  },
  {
    name: "links",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "");
      t.works("any bytes as a target", () => sys.symlink(oddName, "odd"));
      t.returns("the target", oddName, () => sys.readlink("odd"));
      t.fails("the target of a file", "EINVAL", () => sys.readlink("file"));
      t.fails("the target of nothing", "ENOENT", () => sys.readlink("missing"));
      t.fails("a name that is taken", "EEXIST", () => sys.symlink("x", "file"));
      t.fails("an empty target", "ENOENT", () => sys.symlink("", "empty"));
      t.fails("a target of 6000 bytes", "ENAMETOOLONG", () => sys.symlink(longPath, "long"));
    },
  },
];
