/** Kernel modules, netlink, terminals. */

import {
  AF_NETLINK,
  ECHO,
  FD_CLOEXEC,
  F_GETFD,
  MSG_DONTWAIT,
  NETLINK_KOBJECT_UEVENT,
  NETLINK_ROUTE,
  O_NOCTTY,
  O_RDONLY,
  O_RDWR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVBUF,
  TIOCGWINSZ,
  attachLoop,
  hasAllBtrfsDevices,
  scanBtrfsDevice,
  writeFile,
} from "../../../syscalls/index.ts";
import type { Case } from "../contract.ts";
import { linkQuestion } from "../netlink.ts";

/** What kernels say that have no modules, that have closed the door, and that look at the image. */
const noModule = ["ENOSYS", "EPERM", "ENOEXEC"];
const RTM_NEWLINK = 16;

export const peripheralCases: readonly Case[] = [
  {
    name: "modules",
    notFaked: "it takes every image",
    run(t) {
      const { sys } = t;
      writeFile(sys, "junk", "this is no module");
      const fd = sys.open("junk", O_RDONLY);
      t.fails("an image that is none", noModule, () => sys.initModule(new Uint8Array(100), "a=1"));
      t.fails("a file that is none", noModule, () => sys.finitModule(fd, "a=1", 0));
      t.fails("no descriptor", ["ENOSYS", "EPERM", "EBADF"], () => sys.finitModule(-1, "", 0));
      t.fails("parameters with a NUL", "EINVAL", () => sys.finitModule(fd, "a\0b", 0));
      t.fails("the end of one that is not there", ["ENOSYS", "EPERM", "ENOENT"], () =>
        sys.deleteModule("no_such_module", 0),
      );
      sys.close(fd);
    },
  },
  {
    name: "sockets",
    run(t) {
      const { sys } = t;
      const fd = t.works("for uevents", () =>
        sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT),
      );
      t.returns("marked", FD_CLOEXEC, () => sys.fcntl(fd, F_GETFD, 0));
      t.works("to a group of nobody's", () => sys.bindNetlink(fd, 0x8000_0000));
      t.works("with a larger buffer", () => sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 1 << 16));
      t.returns("nothing there", undefined, () => sys.recv(fd, MSG_DONTWAIT));
      sys.close(fd);
      t.fails("of an unknown family", "EAFNOSUPPORT", () => sys.socket(9999, SOCK_RAW, 0));
      t.fails("of an unknown type", "ESOCKTNOSUPPORT", () => sys.socket(AF_NETLINK, 5, 0));
      t.fails("of an unknown protocol", "EPROTONOSUPPORT", () => sys.socket(AF_NETLINK, SOCK_RAW, 99));
      t.fails("none at all", "EBADF", () => sys.recv(-1, MSG_DONTWAIT));
      writeFile(sys, "file", "");
      const file = sys.open("file", O_RDONLY);
      t.fails("receiving from a file", "ENOTSOCK", () => sys.recv(file, MSG_DONTWAIT));
      t.fails("binding a file", "ENOTSOCK", () => sys.bindNetlink(file, 1));
      t.fails("an option of a file", "ENOTSOCK", () => sys.setsockopt(file, SOL_SOCKET, SO_RCVBUF, 1));
      sys.close(file);
    },
  },
  {
    name: "datagrams",
    notFaked: "it has nobody who answers",
    async run(t) {
      const { sys } = t;
      const fd = sys.socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
      const answer = { from: 0, type: RTM_NEWLINK };
      const seen = (datagram: ReturnType<typeof sys.recv>) => ({
        from: datagram?.senderPort,
        type: datagram && new DataView(datagram.bytes.buffer, datagram.bytes.byteOffset).getUint16(4, true),
      });
      const ask = (count = 1) => {
        for (let i = 0; i < count; i++) sys.write(fd, linkQuestion());
      };
      t.works("a question", ask);
      t.returns("the answer", answer, () => seen(sys.recv(fd, 0)));
      ask();
      await t.returnsLater("the answer, waited for", answer, async () => seen(await sys.slow.recv(fd)));
      t.returns("no more", undefined, () => sys.recv(fd, MSG_DONTWAIT));
      sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 1);
      t.works("more than it holds", () => ask(50));
      t.fails("the loss", "ENOBUFS", () => sys.recv(fd, MSG_DONTWAIT));
      while (sys.recv(fd, MSG_DONTWAIT) !== undefined);
      ask(50);
      await t.failsLater("the loss, waited for", "ENOBUFS", () => sys.slow.recv(fd));
      sys.close(fd);
      await t.failsLater("from no descriptor", "EBADF", () => sys.slow.recv(-1));
    },
  },
  {
    name: "terminals",
    run(t) {
      const { sys, world } = t;
      const fd = t.works("a terminal", () => sys.open(world.terminal, O_RDWR | O_NOCTTY));
      const before = t.works("its settings", () => sys.getTermios(fd));
      t.returns("their size", 36, () => before.length);
      const quiet = before.slice();
      const lflag = new DataView(quiet.buffer);
      t.returns("echo", true, () => (lflag.getUint32(12, true) & ECHO) !== 0);
      lflag.setUint32(12, lflag.getUint32(12, true) & ~ECHO, true);
      t.works("no echo", () => sys.setTermios(fd, quiet));
      t.returns("no echo is left", true, () => Buffer.compare(sys.getTermios(fd), quiet) === 0);
      t.works("echo again", () => sys.setTermios(fd, before));
      t.fails("settings too short", "EINVAL", () => sys.setTermios(fd, new Uint8Array(35)));
      sys.close(fd);
      t.fails("settings of no descriptor", "EBADF", () => sys.getTermios(-1));
      writeFile(sys, "file", "");
      const file = sys.open("file", O_RDWR);
      t.fails("settings of a file", "ENOTTY", () => sys.getTermios(file));
      t.fails("setting a file", "ENOTTY", () => sys.setTermios(file, before));
      t.fails("an ioctl of a file", "ENOTTY", () => sys.ioctl(file, TIOCGWINSZ, new Uint8Array(8)));
      sys.close(file);
    },
  },
  {
    name: "ioctl",
    notFaked: "its devices have only what a test gives them",
    run(t) {
      const { sys, world } = t;
      const fd = sys.open(world.terminal, O_RDWR | O_NOCTTY);
      const size = new Uint8Array(8);
      t.returns("a window's size", 0, () => sys.ioctl(fd, TIOCGWINSZ, size));
      t.returns("none was set", new Uint8Array(8), () => size);
      // _IOR('T', 0x30, unsigned int), which answers the number of the terminal.
      const TIOCGPTN = 0x8004_5430;
      t.returns("a number", 0, () => sys.ioctl(fd, TIOCGPTN, new Uint8Array(4)));
      t.fails("a buffer smaller than the request says", "EINVAL", () =>
        sys.ioctl(fd, TIOCGPTN, new Uint8Array(3)),
      );
      t.fails("an unknown request", ["ENOTTY", "EINVAL"], () => sys.ioctl(fd, 0x1234, 0));
      sys.close(fd);
      t.fails("no descriptor", "EBADF", () => sys.ioctl(-1, TIOCGWINSZ, size));
    },
  },
  {
    name: "loop devices",
    notFaked: "it has none but those of a test",
    run(t) {
      const { sys } = t;
      // Kernels without them, users who may not ask, and a descriptor that is none.
      t.fails("without a file", ["ENOENT", "ENXIO", "ENODEV", "EACCES", "EPERM", "EBADF"], () =>
        attachLoop(sys, -1, { readOnly: true, name: "none" }),
      );
      t.fails("a name with a NUL", ["ENOENT", "ENXIO", "ENODEV", "EACCES", "EPERM", "EBADF"], () =>
        attachLoop(sys, -1, { readOnly: false, name: "a\0b" }),
      );
    },
  },
  {
    name: "btrfs",
    notFaked: "it has no such filesystem",
    run(t) {
      const { sys } = t;
      // Kernels without it have no control device, users may not open it, and nothing that is asked here is a disk.
      const absent = ["ENOENT", "ENXIO", "ENODEV", "EACCES"];
      t.fails("a device that is none", [...absent, "EINVAL", "ENOTBLK"], () =>
        scanBtrfsDevice(sys, "/dev/null"),
      );
      t.fails("the others of none", [...absent, "EINVAL", "ENOTBLK"], () =>
        hasAllBtrfsDevices(sys, "/dev/null"),
      );
      t.fails("one that is not there", absent, () => scanBtrfsDevice(sys, "/no/device"));
      t.fails("a path that is too long", "ENAMETOOLONG", () => scanBtrfsDevice(sys, "/".repeat(4088)));
    },
  },
];
