/**
 * A network between guests, on a socket of this process: what one card sends, all others get. Guests come and go as they
 * like. Everything that passes is kept in build/logs/NAME.pcap, for tcpdump and wireshark.
 *
 * QEMU's "stream" sends each Ethernet frame behind its length, four bytes in network order (net/stream.c).
 */

import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT } from "../host.ts";
import type { Card } from "./cards.ts";

export interface Hub {
  /** A card plugged into it. */
  card(options?: Omit<Card, "link">): Card;
  /** Calls `see` for each frame from now on, with the milliseconds since the hub was made. */
  watch(see: (frame: Uint8Array, at_ms: number) => void): void;
  /** Ends it; cards still plugged in lose their carrier. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a hub, named as its log. */
export function makeHub(name: string): Hub {
  const dir = mkdtempSync(join(tmpdir(), "rdinit-hub-"));
  const path = join(dir, "hub");
  const started = performance.now();
  const capture = new Capture(name);
  const watchers: ((frame: Uint8Array, at_ms: number) => void)[] = [];
  const ports = new Set<Port>();
  const pass = (from: Port, frame: Uint8Array): void => {
    const at_ms = performance.now() - started;
    capture.add(frame, at_ms);
    for (const see of watchers) see(frame, at_ms);
    for (const port of ports) if (port !== from) port.send(frame);
  };
  const server = Bun.listen<Port>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = new Port(socket);
        ports.add(socket.data);
      },
      data: ({ data: port }, bytes) => {
        for (const frame of port.frames.take(bytes)) pass(port, frame);
      },
      drain: ({ data: port }) => port.flush(),
      close: ({ data: port }) => void ports.delete(port),
      error: ({ data: port }) => void ports.delete(port),
    },
  });
  return {
    card: (options = {}) => ({ ...options, link: { kind: "hub", path } }),
    watch: (see) => void watchers.push(see),
    async [Symbol.asyncDispose]() {
      server.stop(true);
      capture.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Cuts a stream of bytes into frames. */
export class Frames {
  private rest: Uint8Array = new Uint8Array(0);

  /** The frames that are whole with these bytes. */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = this.rest.length === 0 ? Uint8Array.from(bytes) : Buffer.concat([this.rest, bytes]);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at + 4 <= all.length) {
      const end = at + 4 + view.getUint32(at);
      if (end > all.length) break;
      frames.push(all.subarray(at + 4, end));
      at = end;
    }
    this.rest = all.subarray(at);
    return frames;
  }
}

/** Bytes that may wait for a guest that does not read; what comes on top is lost, as with a real card. */
const QUEUE_BYTES = 4 << 20;

class Port {
  readonly frames = new Frames();
  private readonly socket: Bun.Socket<Port>;
  private queue: Uint8Array[] = [];
  private waiting_bytes = 0;

  constructor(socket: Bun.Socket<Port>) {
    this.socket = socket;
  }

  send(frame: Uint8Array): void {
    if (this.waiting_bytes > QUEUE_BYTES) return;
    const bytes = new Uint8Array(4 + frame.length);
    new DataView(bytes.buffer).setUint32(0, frame.length);
    bytes.set(frame, 4);
    this.queue.push(bytes);
    this.waiting_bytes += bytes.length;
    this.flush();
  }

  flush(): void {
    while (true) {
      const first = this.queue[0];
      if (first === undefined) return;
      const written = Math.max(0, this.socket.write(first));
      this.waiting_bytes -= written;
      if (written < first.length) {
        this.queue[0] = first.subarray(written);
        return;
      }
      this.queue.shift();
    }
  }
}

/** A file of frames as libpcap's (pcap-savefile(5)), little-endian, Ethernet. */
class Capture {
  private readonly file: number;

  constructor(name: string) {
    const dir = join(PROJECT, "build/logs");
    mkdirSync(dir, { recursive: true });
    this.file = openSync(join(dir, `${name}.pcap`), "w");
    const header = new DataView(new ArrayBuffer(24));
    header.setUint32(0, 0xa1b2c3d4, true);
    header.setUint16(4, 2, true);
    header.setUint16(6, 4, true);
    header.setUint32(16, WHOLE_BYTES, true);
    header.setUint32(20, ETHERNET, true);
    writeSync(this.file, header);
  }

  add(frame: Uint8Array, at_ms: number): void {
    const kept = frame.length <= WHOLE_BYTES ? frame : frame.subarray(0, CUT_BYTES);
    const record = Buffer.alloc(16 + kept.length);
    record.writeUInt32LE(Math.floor(at_ms / 1000), 0);
    record.writeUInt32LE(Math.floor((at_ms % 1000) * 1000), 4);
    record.writeUInt32LE(kept.length, 8);
    record.writeUInt32LE(frame.length, 12);
    record.set(kept, 16);
    writeSync(this.file, record);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Frames up to this length are kept whole, DHCP's among them; of others, that carry files, the beginning is. */
const WHOLE_BYTES = 600;
const CUT_BYTES = 96;
/** LINKTYPE_ETHERNET. */
const ETHERNET = 1;
