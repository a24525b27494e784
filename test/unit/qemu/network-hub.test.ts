/** The network between guests, without guests: what one card sends the others get, and cards come and go. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cardArguments, macOf } from "../../../qemu/network/cards.ts";
import { Frames, makeHub } from "../../../qemu/network/hub.ts";
import { PROJECT } from "../../../qemu/host.ts";

function encode(frame: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4 + frame.length);
  bytes.writeUInt32BE(frame.length);
  bytes.set(frame, 4);
  return bytes;
}

test("frames come out whole however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (sent, cuts) => {
        const stream = Buffer.concat(sent.map(encode));
        const frames = new Frames();
        const got: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          got.push(...frames.take(stream.subarray(at, end)));
          at = end;
        }
        expect(got.map((frame) => [...frame])).toEqual(sent.map((frame) => [...frame]));
      },
    ),
  );
});

/** A card: its socket, and what it has got so far. */
async function plug(path: string): Promise<{
  send(frame: string): void;
  /** Waits until so many frames have come. */
  got(count: number): Promise<string[]>;
  pull(): void;
}> {
  const frames = new Frames();
  const texts: string[] = [];
  let news = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data: (_, bytes) => {
        texts.push(...frames.take(bytes).map((frame) => Buffer.from(frame).toString()));
        news.resolve();
        news = Promise.withResolvers();
      },
    },
  });
  return {
    send: (frame) => void socket.write(encode(Buffer.from(frame))),
    async got(count) {
      while (texts.length < count) await news.promise;
      return texts;
    },
    pull: () => void socket.end(),
  };
}

test("all others get what one sends; who is gone is missed by nobody; all is kept", async () => {
  await using hub = makeHub("unit-hub");
  const { link } = hub.card();
  const path = link.kind === "hub" ? link.path : "";
  const seen: string[] = [];
  hub.watch((frame) => seen.push(Buffer.from(frame).toString()));
  const [a, b] = [await plug(path), await plug(path)];
  a.send("one");
  expect(await b.got(1)).toEqual(["one"]);
  b.pull();
  const c = await plug(path);
  c.send("two");
  expect(await a.got(1)).toEqual(["two"]);
  a.send("three");
  expect(await c.got(1)).toEqual(["three"]);
  expect(seen).toEqual(["one", "two", "three"]);
  const capture = readFileSync(join(PROJECT, "build/logs/unit-hub.pcap"));
  expect(capture.readUInt32LE(0)).toBe(0xa1b2c3d4);
  expect(capture.length).toBe(24 + 3 * 16 + "onetwothree".length);
});

test("cards are QEMU's arguments", () => {
  const argv = cardArguments([
    { link: { kind: "user" } },
    { link: { kind: "hub", path: "/hub" }, mac: "52:54:00:00:00:01", model: "e1000e" },
  ]);
  expect(argv).toEqual([
    "-netdev",
    "user,restrict=on,id=net0",
    "-device",
    `virtio-net-pci,netdev=net0,mac=${macOf(0)},romfile=`,
    "-netdev",
    "stream,server=off,addr.type=unix,addr.path=/hub,id=net1",
    "-device",
    "e1000e,netdev=net1,mac=52:54:00:00:00:01,romfile=",
  ]);
});
