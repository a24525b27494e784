/** Mounts, root and working directory. */

import {
  AT_FDCWD,
  AT_REMOVEDIR,
  MNT_DETACH,
  MS_MOVE,
  MS_NODEV,
  MS_RDONLY,
  MS_REMOUNT,
  O_CREAT,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  TMPFS_MAGIC,
  exists,
  list,
  mkdirs,
  readText,
  writeFile,
} from "../../../syscalls/index.ts";
import type { Case } from "../contract.ts";

export const treeCases: readonly Case[] = [
  {
    name: "the working directory",
    run(t) {
      const { sys } = t;
      mkdirs(sys, "a/b");
      writeFile(sys, "file", "here");
      t.works("going down", () => sys.chdir("a/b"));
      t.returns("looking back", "here", () => readText(sys, "../../file"));
      const above = sys.open("..", O_PATH | O_DIRECTORY);
      t.works("by descriptor", () => sys.fchdir(above));
      t.returns("from there", true, () => exists(sys, "b") && !exists(sys, "file"));
      sys.close(above);
      t.fails("to nothing", "ENOENT", () => sys.chdir("missing"));
      t.fails("to a file", "ENOTDIR", () => sys.chdir("../file"));
      t.fails("to no descriptor", "EBADF", () => sys.fchdir(-1));
      const file = sys.open("../file", O_RDONLY);
      t.fails("to a descriptor of a file", "ENOTDIR", () => sys.fchdir(file));
      sys.close(file);
    },
  },
  {
    name: "a root of one's own",
    role: "root",
    run(t) {
      const { sys } = t;
      mkdirs(sys, "new/dir");
      writeFile(sys, "new/file", "inside");
      writeFile(sys, "outside", "");
      sys.symlink("/file", "new/dir/link");
      sys.symlink("../../../file", "new/dir/up");
      t.fails("nothing", "ENOENT", () => sys.chroot("missing"));
      t.fails("a file", "ENOTDIR", () => sys.chroot("outside"));
      const old = sys.open("/", O_PATH | O_DIRECTORY);
      t.works("a directory", () => sys.chroot("new"));
      t.returns("absolute paths", "inside", () => readText(sys, "/file"));
      t.returns("absolute links", "inside", () => readText(sys, "/dir/link"));
      t.returns("links that climb", "inside", () => readText(sys, "/dir/up"));
      t.returns("nothing above", true, () => exists(sys, "/../../file"));
      t.returns("but where one stood", true, () => exists(sys, "outside"));
      t.works("out by descriptor", () => sys.fchdir(old));
      t.works("and for good", () => sys.chroot("."));
      sys.close(old);
      t.returns("outside again", true, () => exists(sys, `${t.dir}/outside`));
    },
  },
  {
    name: "mounts",
    role: "root",
    run(t) {
      const { sys } = t;
      for (const dir of ["m", "other"]) sys.mkdir(dir, 0o755);
      writeFile(sys, "file", "");
      writeFile(sys, "m/below", "");
      const device = (path: string) => sys.stat(AT_FDCWD, path).dev;
      t.works("tmpfs", () => sys.mount("none", "m", "tmpfs", MS_NODEV, "mode=0711"));
      t.returns("its kind", { type: TMPFS_MAGIC }, () => sys.statfs("m"));
      t.returns("its root", [0o711, true], () => [sys.stat(AT_FDCWD, "m").mode, device("m") !== device(".")]);
      t.returns("what it hides", [], () => list(sys, "m"));
      t.returns("the way back", true, () => exists(sys, "m/../file"));
      writeFile(sys, "m/inside", "");
      t.fails("a file across", "EXDEV", () => sys.rename("m/inside", "inside"));
      t.fails("removing the mount point", "EBUSY", () => sys.unlinkat(AT_FDCWD, "m", AT_REMOVEDIR));
      t.fails("renaming the mount point", "EBUSY", () => sys.rename("m", "n"));
      t.fails("an unknown filesystem", "ENODEV", () => sys.mount("none", "m", "nosuchfs", 0, ""));
      t.fails("no filesystem", "ENODEV", () => sys.mount("none", "m", "", 0, ""));
      t.fails("at nothing", "ENOENT", () => sys.mount("none", "missing", "tmpfs", 0, ""));
      t.fails("at a file", "ENOTDIR", () => sys.mount("none", "file", "tmpfs", 0, ""));
      t.fails("a type with a NUL", "EINVAL", () => sys.mount("none", "m", "tmpfs\0", 0, ""));
      t.fails("options with a NUL", "EINVAL", () => sys.mount("none", "m", "tmpfs", 0, "a\0b"));
      t.works("read-only", () => sys.mount("none", "m", "", MS_REMOUNT | MS_RDONLY, ""));
      t.fails("a new file there", "EROFS", () => sys.open("m/new", O_WRONLY | O_CREAT, 0o600));
      t.fails("writing there", "EROFS", () => sys.open("m/inside", O_WRONLY));
      t.fails("removing there", "EROFS", () => sys.unlinkat(AT_FDCWD, "m/inside", 0));
      t.fails("an existing directory there", "EEXIST", () => sys.mkdir("m/inside", 0o755));
      t.fails("remounting what is none", "EINVAL", () => sys.mount("none", "other", "", MS_REMOUNT, ""));
      t.fails("unmounting what is none", "EINVAL", () => sys.umount("other", 0));
      t.fails("unmounting nothing", "ENOENT", () => sys.umount("missing", 0));
      t.fails("unmounting with unknown flags", "EINVAL", () => sys.umount("m", 0x80));
      const fd = sys.open("m/inside", O_RDONLY);
      t.fails("unmounting what is in use", "EBUSY", () => sys.umount("m", 0));
      t.works("letting it go", () => sys.umount("m", MNT_DETACH));
      t.returns("the file in it", "file", () => sys.fstat(fd).type);
      sys.close(fd);
      t.returns("what it hid", true, () => exists(sys, "m/below"));
    },
  },
  {
    name: "moving mounts",
    role: "root",
    run(t) {
      const { sys } = t;
      for (const dir of ["a", "b"]) sys.mkdir(dir, 0o755);
      sys.mount("none", "a", "tmpfs", 0, "");
      mkdirs(sys, "a/sub");
      sys.mount("none", "a/sub", "tmpfs", 0, "");
      writeFile(sys, "a/sub/file", "moved");
      t.fails("a directory", "EINVAL", () => sys.mount("b", "a", "", MS_MOVE, ""));
      t.fails("nothing", "ENOENT", () => sys.mount("missing", "b", "", MS_MOVE, ""));
      t.fails("into itself", "ELOOP", () => sys.mount("a", "a/sub", "", MS_MOVE, ""));
      t.works("with what is below", () => sys.mount("a", "b", "", MS_MOVE, ""));
      t.returns("the old place", [], () => list(sys, "a"));
      t.returns("the new place", "moved", () => readText(sys, "b/sub/file"));
      t.returns("its way up", true, () => exists(sys, "b/../a"));
      t.works("on top of another", () => sys.mount("none", "b", "tmpfs", 0, ""));
      t.returns("the one on top", [], () => list(sys, "b"));
      t.works("taking it off", () => sys.umount("b", 0));
      t.returns("the one below", "moved", () => readText(sys, "b/sub/file"));
      t.fails("taking off one with another inside", "EBUSY", () => sys.umount("b", 0));
      t.works("letting both go", () => sys.umount("b", MNT_DETACH));
      t.returns("nothing left", [], () => list(sys, "b"));
    },
  },
  {
    name: "block devices",
    role: "root",
    run(t) {
      const { sys } = t;
      sys.mkdir("m", 0o755);
      writeFile(sys, "file", "");
      t.fails("a file", "ENOTBLK", () => sys.mount("file", "m", "ext4", 0, ""));
      t.fails("nothing", "ENOENT", () => sys.mount("missing", "m", "ext4", 0, ""));
      sys.mknod("none", "block", 0o600, "259:1048575");
      t.fails("a number without a device", "ENXIO", () => sys.mount("none", "m", "ext4", 0, ""));
    },
  },
  {
    name: "pivot_root",
    role: "root",
    run(t) {
      const { sys } = t;
      for (const dir of ["new", "aside"]) sys.mkdir(dir, 0o755);
      sys.mount("none", "new", "tmpfs", 0, "");
      for (const dir of ["old", "file"]) mkdirs(sys, `new/${dir}`);
      writeFile(sys, "new/name", "new");
      writeFile(sys, "file", "");
      t.fails("to nothing", "ENOENT", () => sys.pivotRoot("missing", "missing"));
      t.fails("to a file", "ENOTDIR", () => sys.pivotRoot("file", "new/old"));
      t.fails("to no mount", "EINVAL", () => sys.pivotRoot("aside", "aside"));
      t.fails("with the old one outside", "EINVAL", () => sys.pivotRoot("new", "aside"));
      t.fails("to itself", "EBUSY", () => sys.pivotRoot("/", "/"));
      t.works("there", () => sys.pivotRoot("new", "new/old"));
      t.returns("the new root", "new", () => readText(sys, "/name"));
      t.returns("the old one", true, () => exists(sys, `/old${t.dir}/file`));
      t.works("and back", () => sys.pivotRoot("/old", `/old${t.dir}/aside`));
      t.returns("the root", true, () => exists(sys, `${t.dir}/file`));
      t.returns("the other", "new", () => readText(sys, `${t.dir}/aside/name`));
      t.works("in one place", () => {
        sys.chdir(`${t.dir}/aside`);
        sys.pivotRoot(".", ".");
      });
      t.returns("the new root again", "new", () => readText(sys, "/name"));
      const old = sys.open("/..", O_PATH | O_DIRECTORY);
      t.returns(
        "the old one over it",
        true,
        () => sys.fstat(old).mountId !== sys.stat(AT_FDCWD, "/").mountId,
      );
      t.works("and back once more", () => {
        sys.fchdir(old);
        sys.chroot(".");
        sys.chdir(t.dir);
      });
      t.returns("the root again", true, () => exists(sys, `${t.dir}/file`));
      sys.close(old);
    },
  },
  {
    name: "the tree without privilege",
    role: "user",
    notFaked: "its process is root",
    async run(t) {
      const { sys } = t;
      sys.mkdir("dir", 0o755);
      await t.failsLater("slow mount", "EPERM", () => sys.slow.mount("none", "dir", "tmpfs", 0, ""));
      await t.failsLater("slow umount", "EPERM", () => sys.slow.umount("dir", 0));
      await t.failsLater("swapoff", "EPERM", () => sys.slow.swapoff("dir"));
      t.fails("chroot", "EPERM", () => sys.chroot("dir"));
      t.fails("mount", "EPERM", () => sys.mount("none", "dir", "tmpfs", 0, ""));
      t.fails("umount", "EPERM", () => sys.umount("/proc", 0));
      t.fails("pivot_root", "EPERM", () => sys.pivotRoot("dir", "dir"));
    },
  },
];
