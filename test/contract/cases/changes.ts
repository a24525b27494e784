/** Names made, changed and removed. */

import {
  AT_FDCWD,
  AT_REMOVEDIR,
  F_OK,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  R_OK,
  W_OK,
  X_OK,
  readText,
  writeFile,
} from "../../../syscalls/index.ts";
import type { Case } from "../contract.ts";

export const changeCases: readonly Case[] = [
  {
    name: "mkdir and mknod",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "");
      t.returns("the umask before", true, () => sys.umask(0o027) <= 0o777);
      t.returns("the umask between", 0o027, () => sys.umask(0o027));
      t.works("a directory", () => sys.mkdir("dir/", 0o777));
      t.returns("its mode", 0o750, () => sys.stat(AT_FDCWD, "dir").mode);
      sys.umask(0o022);
      t.fails("a directory that exists", "EEXIST", () => sys.mkdir("dir", 0o755));
      t.fails("the root", "EEXIST", () => sys.mkdir("/", 0o755));
      t.fails("a directory below nothing", "ENOENT", () => sys.mkdir("missing/dir", 0o755));
      t.fails("a directory below a file", "ENOTDIR", () => sys.mkdir("file/dir", 0o755));
      t.fails("a directory with a NUL", "EINVAL", () => sys.mkdir("a\0b", 0o755));
      t.fails("a directory in /proc", "ENOENT", () => sys.mkdir("/proc/none", 0o755));
      t.fails("a node that exists", "EEXIST", () => sys.mknod("file", "fifo", 0o600, "0:0"));
      t.fails("a node with a slash", "ENOENT", () => sys.mknod("node/", "fifo", 0o600, "0:0"));
      t.works("a socket", () => sys.mknod("socket", "socket", 0o600, "1:3"));
      t.returns("what it is", { type: "socket", rdev: "0:0" }, () => {
        const { type, rdev } = sys.stat(AT_FDCWD, "socket");
        return { type, rdev };
      });
      t.fails("a device that is none", "EINVAL", () => sys.mknod("node", "char", 0o600, "1.3"));
      t.fails("a device out of range", "EINVAL", () => sys.mknod("node", "char", 0o600, "4096:1"));
    },
  },
  {
    name: "device nodes",
    role: "root",
    run(t) {
      const { sys } = t;
      for (const [type, rdev] of [
        ["char", "1:3"],
        ["block", "259:65537"],
        ["char", "4095:1048575"],
      ] as const) {
        t.works(`${type} ${rdev}`, () => sys.mknod(rdev, type, 0o600, rdev));
        t.returns(`what ${rdev} is`, { type, rdev }, () => {
          const stat = sys.stat(AT_FDCWD, rdev);
          return { type: stat.type, rdev: stat.rdev };
        });
      }
    },
  },
  {
    name: "rename",
    run(t) {
      const { sys } = t;
      writeFile(sys, "a", "a");
      writeFile(sys, "b", "b");
      for (const dir of ["dir", "dir/sub", "empty"]) sys.mkdir(dir, 0o755);
      t.works("over another file", () => sys.rename("a", "b"));
      t.returns("the file", "a", () => readText(sys, "b"));
      t.fails("a missing file", "ENOENT", () => sys.rename("a", "c"));
      t.fails("a file over a directory", "EISDIR", () => sys.rename("b", "dir"));
      t.fails("a directory over a file", "ENOTDIR", () => sys.rename("dir", "b"));
      t.fails("over a directory with files", "ENOTEMPTY", () => sys.rename("empty", "dir"));
      t.fails("a directory into itself", "EINVAL", () => sys.rename("dir", "dir/sub/dir"));
      t.fails("the working directory", "EBUSY", () => sys.rename(".", "c"));
      t.fails("to another filesystem", "EXDEV", () => sys.rename("b", "/proc/b"));
      t.works("a directory over an empty one", () => sys.rename("dir", "empty"));
      t.returns("the directory", "directory", () => sys.stat(AT_FDCWD, "empty/sub").type);
    },
  },
  {
    name: "unlinkat",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "");
      sys.mkdir("dir", 0o755);
      writeFile(sys, "dir/file", "");
      sys.symlink("dir", "link");
      t.fails("a missing file", "ENOENT", () => sys.unlinkat(AT_FDCWD, "missing", 0));
      t.fails("a directory as a file", "EISDIR", () => sys.unlinkat(AT_FDCWD, "dir", 0));
      t.fails("a file as a directory", "ENOTDIR", () => sys.unlinkat(AT_FDCWD, "file", AT_REMOVEDIR));
      t.fails("a directory with files", "ENOTEMPTY", () => sys.unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
      t.fails("the working directory", "EINVAL", () => sys.unlinkat(AT_FDCWD, ".", AT_REMOVEDIR));
      t.fails("the one above", "ENOTEMPTY", () => sys.unlinkat(AT_FDCWD, "..", AT_REMOVEDIR));
      t.fails("the root", "EBUSY", () => sys.unlinkat(AT_FDCWD, "/", AT_REMOVEDIR));
      t.fails("with unknown flags", "EINVAL", () => sys.unlinkat(AT_FDCWD, "file", 1));
      t.fails("below no descriptor", "EBADF", () => sys.unlinkat(-1, "file", 0));
      t.works("a link", () => sys.unlinkat(AT_FDCWD, "link", 0));
      const dir = sys.open("dir", O_RDONLY | O_DIRECTORY);
      t.works("below a descriptor", () => sys.unlinkat(dir, "file", 0));
      t.works("a directory", () => sys.unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
      t.fails("a file in a directory that is gone", "ENOENT", () =>
        sys.openat(dir, "file", O_RDWR | O_CREAT, 0o600),
      );
      sys.close(dir);
    },
  },
  {
    name: "chmod and access",
    run(t) {
      const { sys } = t;
      writeFile(sys, "file", "");
      t.works("all bits", () => sys.chmod("file", 0o4755));
      t.returns("the mode", 0o4755, () => sys.stat(AT_FDCWD, "file").mode);
      t.works("execute", () => sys.access("file", X_OK));
      t.works("no bits", () => sys.chmod("file", 0o644));
      t.fails("execute without the bits", "EACCES", () => sys.access("file", X_OK));
      t.works("read and write", () => sys.access("file", R_OK | W_OK));
      t.works("be there", () => sys.access("file", F_OK));
      t.fails("of a missing file", "ENOENT", () => sys.access("missing", F_OK));
      t.fails("below a file", "ENOTDIR", () => sys.access("file/x", F_OK));
      t.fails("with an unknown mode", "EINVAL", () => sys.access("file", 8));
      t.fails("chmod of a missing file", "ENOENT", () => sys.chmod("missing", 0o600));
    },
  },
  {
    name: "without privilege",
    role: "user",
    notFaked: "its process is root",
    run(t) {
      const { sys } = t;
      writeFile(sys, "secret", "");
      sys.chmod("secret", 0);
      sys.mkdir("closed", 0);
      t.fails("reading a file of mode 0", "EACCES", () => sys.open("secret", O_RDONLY));
      t.fails("a name in a directory of mode 0", "EACCES", () => sys.stat(AT_FDCWD, "closed/x"));
      // So that whoever made the directory can remove it.
      sys.chmod("closed", 0o700);
      t.fails("a directory in the root", "EACCES", () => sys.mkdir("/rdinit-contract", 0o755));
      t.fails("chmod of another's file", "EPERM", () => sys.chmod("/proc/1", 0o777));
      t.fails("a device node", "EPERM", () => sys.mknod("null", "char", 0o600, "1:3"));
    },
  },
];
