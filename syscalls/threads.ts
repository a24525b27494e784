/**
 * Blocking system calls on threads of their own, awaited without polling.
 *
 * A thread gets an array of two records (machine-code.ts): the call itself, and a sendto(2) of the
 * call's id into a socket pair, whose other end the event loop reads. The thread runs no code but
 * these instructions, so it needs nothing of the JavaScript engine.
 */

import {
  AF_UNIX,
  F_SETFL,
  MSG_NOSIGNAL,
  O_NONBLOCK,
  SIG_BLOCK,
  SIG_SETMASK,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from "./constants.ts";
import type { Argument, Driver } from "./driver.ts";
import { fail } from "./errno.ts";
import { syscallNumbers } from "./numbers.ts";

/** What threadCalls() needs of a driver. */
export interface ThreadHost {
  readonly call: Driver["call"];
  readonly address: Driver["address"];
  /** Starts a thread on the records at an address: 0 or a positive errno. */
  startThread(records: number): number;
}

/** A call under way. All that the thread or the kernel may touch hangs here, out of the collector's reach. */
interface Pending {
  readonly words: BigInt64Array;
  readonly args: readonly Argument[];
  settle(result: number): void;
}

interface Channel {
  readonly socket: Bun.Socket;
  /** Where the threads write the ids of finished calls. */
  readonly sendFd: number;
}

/** Words of a record: the number, six arguments, then `more`, whose place the result takes. */
const RECORD_WORDS = 8;
const RESULT = 7;
/** The id follows the two records. */
const ID = 2 * RECORD_WORDS;
const ID_BYTES = 8;

/** All but glibc's two internal signals, which must reach every thread. */
const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn & ~((1n << 31n) | (1n << 32n));
const SIGSET_BYTES = 8;

/**
 * A `Driver.callSlow` with one thread for each call. The first call sets up the socket pair; the
 * event loop is kept alive by it only while calls are pending. When no thread can be had, the result
 * is pthread_create(3)'s errno (EAGAIN), as if the call had answered it. The promise rejects with a
 * SysError when the socket pair can't be made.
 */
export function threadCalls(host: ThreadHost): Driver["callSlow"] {
  const pending = new Map<number, Pending>();
  let channel: Promise<Channel> | undefined;
  let lastId = 0;

  const settled = (id: number) => {
    const call = pending.get(id);
    pending.delete(id);
    call?.settle(Number(call.words[RESULT]));
  };
  return async (nr, ...args) => {
    channel ??= openChannel(host, settled).catch((error: unknown) => {
      // Descriptors or memory may be had the next time.
      channel = undefined;
      throw error;
    });
    const { socket, sendFd } = await channel;
    return await new Promise<number>((resolve) => {
      const id = ++lastId;
      const words = recordsOf(host, nr, args, sendFd, id);
      const settle = (result: number) => {
        if (pending.size === 0) socket.unref();
        resolve(result);
      };
      if (pending.size === 0) socket.ref();
      pending.set(id, { words, args, settle });
      const errno = startUndisturbed(host, host.address(bytesOf(words)));
      if (errno === 0) return;
      pending.delete(id);
      settle(-errno);
    });
  };
}

/** The socket pair, its receiving end read by the event loop; `settled` gets the id of each finished call. */
async function openChannel(host: ThreadHost, settled: (id: number) => void): Promise<Channel> {
  const nr = syscallNumbers();
  const fds = new Int32Array(2);
  const made = host.call(nr.socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bytesOf(fds));
  if (made < 0) fail("socketpair", -made);
  const [receiveFd = -1, sendFd = -1] = fds;
  // Of this end only: the threads must wait when the event loop is behind.
  const changed = host.call(nr.fcntl, receiveFd, F_SETFL, O_NONBLOCK);
  if (changed < 0) fail("fcntl", -changed);

  let rest: Buffer = Buffer.alloc(0);
  const options: Bun.FdSocketOptions = {
    fd: receiveFd,
    socket: {
      data: (_, chunk) => {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        for (; at + ID_BYTES <= bytes.length; at += ID_BYTES) settled(bytes.readUInt32LE(at));
        rest = Buffer.from(bytes.subarray(at));
      },
    },
  };
  // Bun declares the options and leaves them out of connect()'s signatures.
  const socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions);
  return { socket, sendFd };
}

function recordsOf(
  host: ThreadHost,
  nr: number,
  args: readonly Argument[],
  sendFd: number,
  id: number,
): BigInt64Array {
  const words = new BigInt64Array(ID + 1);
  const word = (argument: Argument) => {
    if (argument === null) return 0n;
    if (typeof argument === "object") return BigInt(host.address(argument));
    return BigInt.asIntN(64, BigInt(argument));
  };
  words[0] = BigInt(nr);
  args.forEach((argument, i) => (words[1 + i] = word(argument)));
  words[RESULT] = 1n;
  words[ID] = BigInt(id);
  const idAddress = BigInt(host.address(bytesOf(words)) + ID * words.BYTES_PER_ELEMENT);
  const report = [syscallNumbers().sendto, sendFd, idAddress, ID_BYTES, MSG_NOSIGNAL];
  report.forEach((argument, i) => (words[RECORD_WORDS + i] = BigInt(argument)));
  return words;
}

/**
 * Starts the thread with all signals blocked, which it inherits: it has no stack for the handlers of
 * the JavaScript engine, and a call that a signal interrupts would only have to be made again.
 */
function startUndisturbed(host: ThreadHost, records: number): number {
  const { rt_sigprocmask } = syscallNumbers();
  const before = new BigUint64Array(1);
  const all = BigUint64Array.of(ALL_SIGNALS);
  host.call(rt_sigprocmask, SIG_BLOCK, bytesOf(all), bytesOf(before), SIGSET_BYTES);
  const errno = host.startThread(records);
  host.call(rt_sigprocmask, SIG_SETMASK, bytesOf(before), null, SIGSET_BYTES);
  return errno;
}

function bytesOf(array: Int32Array | BigInt64Array | BigUint64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
