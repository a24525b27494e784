/** The calls that may block. Under Node.js they do, so nothing here waits for what comes later. */

import {
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  TCGETS,
  WEXITED,
  exists,
  writeFile,
} from "../../../syscalls/index.ts";
import { fromBytes } from "../../../src/lib/bytes.ts";
import type { Case } from "../contract.ts";

export const slowCases: readonly Case[] = [
  {
    name: "slow files",
    async run(t) {
      const { sys } = t;
      writeFile(sys, "file", "0123456789");
      const fd = await sys.slow.open("file", O_RDONLY | O_CLOEXEC);
      const buffer = new Uint8Array(4);
      await t.returnsLater("reading", 4, () => sys.slow.pread(fd, buffer, 3));
      t.returns("the bytes", "3456", () => fromBytes(buffer));
      await t.returnsLater("reading at the end", 0, () => sys.slow.pread(fd, buffer, 10));
      await t.returnsLater("many at once", "0123456789", async () => {
        const each = Array.from({ length: 10 }, () => new Uint8Array(1));
        await Promise.all(each.map((one, i) => sys.slow.pread(fd, one, i)));
        return each.map(fromBytes).join("");
      });
      await t.failsLater("asking a file", "ENOTTY", () => sys.slow.ioctl(fd, TCGETS, new Uint8Array(64)));
      sys.close(fd);
      await t.failsLater("asking no descriptor", "EBADF", () => sys.slow.ioctl(fd, TCGETS, 0));
      // _IOR('T', 0x30, unsigned int)
      await t.failsLater("into less space than the request says", "EINVAL", () =>
        sys.slow.ioctl(-1, 0x8004_5430, new Uint8Array(3)),
      );
      await t.returnsLater("all to the disk", undefined, () => sys.slow.sync());
      const made = await sys.slow.open("made", O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
      t.returns("a new file", true, () => exists(sys, "made"));
      sys.close(made);
      await t.failsLater("reading no descriptor", "EBADF", () => sys.slow.pread(-1, buffer, 0));
      await t.failsLater("a missing file", "ENOENT", () => sys.slow.open("missing", O_RDONLY));
      await t.failsLater("a path with a NUL", "EINVAL", () => sys.slow.open("file\0", O_RDONLY));
    },
  },
  {
    name: "poll",
    async run(t) {
      const { sys } = t;
      const [first, second] = [sys.pipe(O_CLOEXEC), sys.pipe(O_CLOEXEC)];
      sys.write(second.write, Uint8Array.of(1));
      await t.returnsLater("the one with bytes", true, async () => {
        const ready = await sys.slow.poll([first.read, second.read]);
        return ready.length === 1 && ready[0] === second.read;
      });
      sys.write(first.write, Uint8Array.of(1));
      await t.returnsLater("both", 2, async () => (await sys.slow.poll([first.read, second.read])).length);
      for (const fd of [first.read, first.write, second.read, second.write]) sys.close(fd);
      await t.returnsLater("no descriptor", 1, async () => (await sys.slow.poll([first.read])).length);
    },
  },
  {
    name: "slow children",
    async run(t) {
      const { sys, world } = t;
      await t.failsLater("none", "ECHILD", () => sys.slow.peekChild());
      const child = world.orphan({ exits: 3 });
      const expected = { pid: child, code: "exited", status: 3 } as const;
      for (const what of ["a look", "another look"])
        await t.returnsLater(what, true, async () => {
          const { pid, code, status } = await sys.slow.peekChild();
          return pid === expected.pid && code === expected.code && status === expected.status;
        });
      t.works("the end", () => sys.waitid(child, WEXITED));
      await t.failsLater("none again", "ECHILD", () => sys.slow.peekChild());
    },
  },
  {
    name: "slow modules",
    notFaked: "it takes every image",
    async run(t) {
      const { sys } = t;
      const noModule = ["ENOSYS", "EPERM", "ENOEXEC"];
      await t.failsLater("an image that is none", noModule, () =>
        sys.slow.initModule(new Uint8Array(100), ""),
      );
      await t.failsLater("no descriptor", ["ENOSYS", "EPERM", "EBADF"], () =>
        sys.slow.finitModule(-1, "", 0),
      );
      await t.failsLater("parameters with a NUL", "EINVAL", () => sys.slow.finitModule(-1, "\0", 0));
    },
  },
  {
    name: "slow mounts",
    role: "root",
    async run(t) {
      const { sys } = t;
      sys.mkdir("m", 0o755);
      writeFile(sys, "m/hidden", "");
      await t.returnsLater("tmpfs", undefined, () => sys.slow.mount("none", "m", "tmpfs", 0, ""));
      t.returns("what it hides", false, () => exists(sys, "m/hidden"));
      sys.umount("m", 0);
      await t.failsLater("at nothing", "ENOENT", () => sys.slow.mount("none", "missing", "tmpfs", 0, ""));
      sys.mount("none", "m", "tmpfs", 0, "");
      await t.returnsLater("taking it off", undefined, () => sys.slow.umount("m", 0));
      t.returns("what it hid", true, () => exists(sys, "m/hidden"));
      await t.failsLater("taking off what is none", "EINVAL", () => sys.slow.umount("m", 0));
      await t.failsLater("swap at nothing", "ENOENT", () => sys.slow.swapoff("missing"));
      await t.failsLater("swap that is none", "EINVAL", () => sys.slow.swapoff("m/hidden"));
    },
  },
];
