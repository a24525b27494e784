/** What descriptors of the fake kernel refer to. */

import type { ErrnoCode } from "../errno.ts";
import type { Datagram } from "../types.ts";
import type { Position } from "./mounts.ts";

/** An open file description (open(2)); several descriptors may share one. */
export type OpenFile = OpenNode | PipeEnd | NetlinkSocket;

interface Common {
  readonly position: Position;
  /** O_*, without those that only open(2) itself heeds. */
  flags: number;
}

export interface OpenNode extends Common {
  readonly kind: "node";
  offset: number;
  /** The content of an attribute, as it was at the open. */
  readonly content?: Uint8Array | undefined;
  /** The names of a directory that are still to be listed. */
  names?: string[];
}

export interface PipeEnd extends Common {
  readonly kind: "pipe";
  readonly pipe: Pipe;
}

export interface Pipe {
  /** What was written and not yet read. */
  bytes: Uint8Array;
}

export interface NetlinkSocket extends Common {
  readonly kind: "socket";
  /** The multicast groups it is bound to. */
  groups: number;
  /** Datagrams, and errors, that recv(2) gets next. */
  readonly queue: (Datagram | ErrnoCode)[];
  /** Slow receivers that wait. */
  readonly waiting: (() => void)[];
}

export interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}
