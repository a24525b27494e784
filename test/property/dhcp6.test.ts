/** DHCPv6 over a network that loses, doubles and delays, and from servers that write what they like. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatAddress } from "../../src/network/address.ts";
import { Dhcp6Client } from "../../src/network/dhcp6/client.ts";
import type { Dhcp6Message } from "../../src/network/dhcp6/message.ts";
import { parseDhcp6 } from "../../src/network/dhcp6/read.ts";
import { packDhcp6 } from "../../src/network/dhcp6/write.ts";
import { answerDhcp6 } from "../fixtures/dhcp6-server.ts";

const bytes = fc.uint8Array({ maxLength: 24 });
const u32 = fc.oneof(fc.nat(3), fc.nat(0xffff_ffff));
const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatAddress);
const addresses = fc.array(address, { maxLength: 3 });
const name = fc.constantFrom("a", "web.example.org", "x_y-z.lan", `${"a".repeat(63)}.b`);
const status = fc.record({
  code: fc.nat(0xffff),
  message: fc.string({ maxLength: 9, unit: "binary-ascii" }),
});
const types = [
  "solicit",
  "advertise",
  "request",
  "renew",
  "rebind",
  "reply",
  "release",
  "information-request",
] as const;
const message: fc.Arbitrary<Dhcp6Message> = fc.record(
  {
    type: fc.constantFrom(...types),
    transaction: fc.nat(0xff_ffff),
    clientId: bytes,
    serverId: bytes,
    associations: fc.array(
      fc.record(
        {
          id: u32,
          renew_s: u32,
          rebind_s: u32,
          addresses: fc.array(fc.record({ address, preferred_s: u32, valid_s: u32 }), { maxLength: 3 }),
          status,
        },
        { requiredKeys: ["id", "renew_s", "rebind_s", "addresses"] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    requested: fc.array(fc.nat(0xffff), { maxLength: 5 }),
    preference: fc.nat(255),
    elapsed_cs: fc.nat(0xffff),
    status,
    rapidCommit: fc.constant(true),
    nameservers: addresses,
    search: fc.array(name, { maxLength: 3 }),
    hostName: name,
    ntpServers: addresses,
  },
  { requiredKeys: ["type", "transaction"] },
);

describe("messages", () => {
  test("what is written is read as what it was", () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(parseDhcp6(packDhcp6(one))).toEqual(one);
      }),
      { numRuns: 200 },
    );
  });

  test("any bytes are read or refused, also those of a message with a few others", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 80 }), message.map(packDhcp6)),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (datagram, changes, cut) => {
          const changed = Uint8Array.from(datagram);
          for (const [at, byte] of changes) changed[at % Math.max(1, changed.length)] = byte;
          parseDhcp6(changed);
          parseDhcp6(changed.subarray(0, cut % (changed.length + 1)));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

const duid = Uint8Array.of(0, 3, 0, 1, 82, 84, 0, 0, 0, 1);
/** What becomes of a datagram: lost, once or twice there, and how much later. */
const fate = fc.record({ copies: fc.constantFrom(0, 1, 1, 1, 2), late_ms: fc.nat(3000) });
const conduct = fc.record(
  { preference: fc.nat(255), rapid: fc.boolean(), renew_s: fc.integer({ min: 60, max: 500 }) },
  { requiredKeys: [] },
);

/** A clock, datagrams on their way, and a client. Returns what happened until `end_ms`. */
function simulate(
  fates: readonly (typeof fate extends fc.Arbitrary<infer T> ? T : never)[],
  answer: (asked: Dhcp6Message) => Uint8Array | undefined,
  random: number,
  end_ms: number,
): { events: string[]; sent: number } {
  const client = new Dhcp6Client({ duid, id: 7, wants: "address" }, () => random);
  const events: string[] = [];
  let onTheWay: { readonly at_ms: number; readonly datagram: Uint8Array }[] = [];
  let sent = 0;
  let now_ms = 0;
  let wake_ms = 0;
  for (let turn = 0; turn < 500 && now_ms <= end_ms; turn++) {
    const next = onTheWay.toSorted((a, b) => a.at_ms - b.at_ms)[0];
    const isNext = next !== undefined && next.at_ms <= wake_ms;
    if (isNext) onTheWay = onTheWay.filter((one) => one !== next);
    now_ms = Math.max(now_ms, isNext ? next.at_ms : wake_ms);
    const step = client.step(now_ms, isNext ? next.datagram : undefined);
    if (step.event !== undefined) events.push(step.event.kind);
    wake_ms = step.wake_ms;
    if (step.send === undefined) continue;
    const asked = parseDhcp6(step.send);
    const datagram = asked && answer(asked);
    const { copies, late_ms } = fates[sent++] ?? { copies: 1, late_ms: 0 };
    if (datagram !== undefined)
      for (let copy = 0; copy < copies; copy++)
        onTheWay.push({ at_ms: now_ms + late_ms * (copy + 1), datagram });
  }
  return { events, sent };
}

describe("a client", () => {
  const fates = fc.array(fate, { maxLength: 8 });
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });

  test("gets its lease when the network comes to its senses, and keeps it", () => {
    fc.assert(
      fc.property(fates, conduct, random, (lot, server, luck) => {
        const answer = (asked: Dhcp6Message): Uint8Array | undefined => {
          const reply = answerDhcp6(asked, server);
          return reply && packDhcp6(reply);
        };
        const { events } = simulate(lot, answer, luck, 3_600_000);
        expect(events).toContain("bound");
        expect(events.every((kind) => kind === "bound")).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("stands whatever is answered, and never asks in a frenzy", () => {
    fc.assert(
      fc.property(fates, fc.array(message, { minLength: 1, maxLength: 5 }), random, (lot, answers, luck) => {
        let at = 0;
        const answer = (asked: Dhcp6Message): Uint8Array => {
          const { transaction, associations = [] } = asked;
          const [first] = answers[at++ % answers.length]?.associations ?? [];
          const mine = associations.map(({ id }) => ({
            ...(first ?? { renew_s: 0, rebind_s: 0, addresses: [] }),
            id,
          }));
          const given = answers[at % answers.length] as Dhcp6Message;
          return packDhcp6({ ...given, transaction, clientId: duid, associations: mine });
        };
        const { sent } = simulate(lot, answer, luck, 60_000);
        expect(sent).toBeLessThan(130);
      }),
      { numRuns: 200 },
    );
  });
});
