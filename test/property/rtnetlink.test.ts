/** The kernel's messages about the network: whatever the bytes, reading ends and throws nothing. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { packAttribute, packMessage } from "../../syscalls/rtnetlink/messages.ts";
import {
  parseAddress,
  parseAttributes,
  parseLink,
  parseMessages,
  parseRoute,
  parseRouterOptions,
} from "../../syscalls/rtnetlink/index.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
/** One of them begins as the kernel's word of a router's advertisement does. */
const advertisement = fc
  .tuple(fc.nat(0xff), bytes)
  .map(([length, rest]) => Uint8Array.of(10, 0, length, 0, 3, 0, 0, 0, 134, ...rest));

test("any bytes can be read, and no more is found than there is", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, advertisement), (some) => {
      const held = parseMessages(some).reduce((sum, { body }) => sum + 16 + body.length, 0);
      expect(held).toBeLessThanOrEqual(some.length);
      expect(parseAttributes(some).length).toBeLessThanOrEqual(some.length / 4);
      for (const parse of [parseLink, parseAddress, parseRoute]) parse(some);
      const [family, kind] = [some[0], some[8]];
      const advertised = packMessage({ type: 68, flags: 0, sequence: 0, body: some });
      for (const { options } of parseRouterOptions(advertised)) {
        expect([family, kind]).toEqual([10, 134]);
        expect(options.length).toBeLessThanOrEqual(some.length - 16);
      }
    }),
  );
});

test("what was packed is read again, whatever stands behind it", () => {
  const message = fc.record({
    type: fc.nat(0xffff),
    flags: fc.nat(0xffff),
    sequence: fc.nat(0xffffffff),
    body: bytes.map((body) => body.subarray(0, body.length & ~3)),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.nat(15), (messages, rest) => {
      const datagram = Buffer.concat([...messages.map(packMessage), new Uint8Array(rest)]);
      expect(parseMessages(new Uint8Array(datagram))).toEqual(messages);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(0x3fff), bytes), { maxLength: 8 }), (attributes) => {
      const packed = Buffer.concat(attributes.map(([type, value]) => packAttribute(type, value)));
      expect(parseAttributes(new Uint8Array(packed))).toEqual(
        attributes.map(([type, value]) => ({ type, value })),
      );
    }),
  );
});
