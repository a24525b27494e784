/** The fake kernel's modules, netlink sockets and terminals. */

import { fromBytes } from "../../src/lib/bytes.ts";
import {
  AF_NETLINK,
  MSG_DONTWAIT,
  O_ACCMODE,
  O_NONBLOCK,
  O_RDWR,
  O_WRONLY,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "../constants.ts";
import { SIZE, holdsRequest } from "../struct.ts";
import type { Datagram, Fd, Syscalls } from "../types.ts";
import { newSpecial } from "./inode.ts";
import type { Machine } from "./machine.ts";
import type { NetlinkSocket } from "./open-file.ts";
import { refuse } from "./refusal.ts";

/** include/uapi/linux/netlink.h: families from 0 up to MAX_LINKS. */
const NETLINK_FAMILIES = 32;

export function modules(machine: Machine) {
  const load = (image: Uint8Array, parameters: string, flags: number) => {
    const name = /(?:^|\0)name=([^\0]+)/.exec(fromBytes(image))?.[1];
    if (name !== undefined && machine.modules.some((module) => module.name === name)) refuse("EEXIST");
    const module = { name, image, parameters, flags };
    machine.options.onModule?.(module);
    machine.modules.push(module);
  };
  return {
    finitModule(fd, parameters, flags) {
      const { file } = machine.descriptor(fd);
      if ((file.flags & O_ACCMODE) === O_WRONLY) refuse("EBADF");
      const { inode } = file.position;
      load(inode.kind === "file" ? inode.bytes.slice() : refuse("EINVAL"), parameters, flags);
    },
    initModule(image, parameters) {
      load(image.slice(), parameters, 0);
    },
    deleteModule(name) {
      const index = machine.modules.findIndex((module) => module.name === name);
      if (index < 0) refuse("ENOENT");
      machine.modules.splice(index, 1);
    },
  } satisfies Partial<Syscalls>;
}

export function netlink(machine: Machine) {
  return {
    socket(domain, type, protocol) {
      const kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (domain !== AF_NETLINK) refuse("EAFNOSUPPORT");
      if (kind !== SOCK_RAW && kind !== SOCK_DGRAM) refuse("ESOCKTNOSUPPORT");
      if (protocol < 0 || protocol >= NETLINK_FAMILIES) refuse("EPROTONOSUPPORT");
      const position = machine.nowhere((fs) => newSpecial(fs, "socket", 0o777, "0:0"));
      const flags = O_RDWR | ((type & SOCK_NONBLOCK) === 0 ? 0 : O_NONBLOCK);
      const socket: NetlinkSocket = { kind: "socket", position, flags, groups: 0, queue: [], waiting: [] };
      return machine.install(socket, (type & SOCK_CLOEXEC) !== 0);
    },
    bindNetlink(fd, groups) {
      socketOf(machine, fd).groups = groups;
    },
    setsockopt(fd) {
      socketOf(machine, fd);
    },
    recv(fd, flags) {
      const socket = socketOf(machine, fd);
      const next = socket.queue.shift();
      if (typeof next === "string") refuse(next);
      if (next !== undefined) return next;
      if ((flags & MSG_DONTWAIT) !== 0 || (socket.flags & O_NONBLOCK) !== 0) return undefined;
      throw new Error("the fake kernel's recv would block for ever");
    },
  } satisfies Partial<Syscalls>;
}

/** Gives a datagram or an error to the sockets that are bound to one of `groups` (a bit mask). */
export function post(machine: Machine, groups: number, item: NetlinkSocket["queue"][number]): void {
  const sockets = new Set([...machine.fds.values()].map(({ file }) => file));
  for (const file of sockets) {
    if (file.kind !== "socket" || (file.groups & groups) === 0) continue;
    file.queue.push(item);
    for (const wake of file.waiting.splice(0)) wake();
  }
}

/** The next datagram of a socket, waited for. */
export async function receive(machine: Machine, fd: Fd): Promise<Datagram> {
  const socket = socketOf(machine, fd);
  while (socket.queue.length === 0)
    await new Promise<void>((resolve) => {
      socket.waiting.push(resolve);
    });
  const next = socket.queue.shift();
  return typeof next === "object" ? next : refuse(next ?? "EAGAIN");
}

function socketOf(machine: Machine, fd: Fd): NetlinkSocket {
  const { file } = machine.descriptor(fd);
  return file.kind === "socket" ? file : refuse("ENOTSOCK");
}

export function terminals(machine: Machine) {
  const terminal = (fd: Fd) => {
    const device = machine.deviceOf(machine.descriptor(fd).file.position.inode);
    return device?.terminal === true ? device : refuse("ENOTTY");
  };
  return {
    getTermios(fd) {
      terminal(fd);
      return machine.termios.slice();
    },
    setTermios(fd, termios) {
      if (termios.byteLength < SIZE.termios) refuse("EINVAL");
      terminal(fd);
      machine.termios = termios.slice(0, SIZE.termios);
    },
    ioctl(fd, request, argument) {
      if (!holdsRequest(request, argument)) refuse("EINVAL");
      const device = machine.deviceOf(machine.descriptor(fd).file.position.inode);
      return device?.ioctl?.(request, argument) ?? refuse("ENOTTY");
    },
  } satisfies Partial<Syscalls>;
}
