/** What is said to the kernel's network, and what is made of its answers, byte by byte: linux/netlink.h, rtnetlink.h. */

import { describe, expect, test } from "bun:test";
import type { Syscalls } from "../../../syscalls/index.ts";
import {
  Rtnetlink,
  addAddress,
  addLink,
  addRoute,
  changeLink,
  parseAddress,
  parseAttributes,
  parseLink,
  parseMessages,
  parseRoute,
} from "../../../syscalls/rtnetlink/index.ts";
import { packAttribute, packMessage, packNumber, packString } from "../../../syscalls/rtnetlink/messages.ts";

const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_GETLINK] = [2, 3, 16, 18];
const NLM_F_DUMP_INTR = 0x10;

interface Answer {
  readonly type: number;
  readonly flags?: number;
  /** How far its number is from the question's; 0 when left out. */
  readonly off?: number;
  readonly body: readonly number[];
}

const NO_ERROR = [0, 0, 0, 0];
const DONE: Answer = { type: NLMSG_DONE, body: NO_ERROR };

/** A conversation with a kernel that answers the questions in turn; the last answers are those to all further ones. */
function talk(...answers: (readonly Answer[])[]) {
  const asked: ReturnType<typeof parseMessages> = [];
  const waiting: Uint8Array[] = [];
  const sys = {
    socket: () => 3,
    write(_: number, bytes: Uint8Array) {
      asked.push(...parseMessages(bytes));
      const { sequence = 0 } = asked.at(-1) ?? {};
      for (const { type, flags = 0, off = 0, body } of answers[Math.min(asked.length, answers.length) - 1] ??
        [])
        waiting.push(packMessage({ type, flags, sequence: sequence + off, body: Uint8Array.from(body) }));
      return bytes.length;
    },
    recv() {
      const bytes = waiting.shift();
      return bytes && { bytes, senderPort: 0 };
    },
  };
  return { kernel: new Rtnetlink(sys as unknown as Syscalls), asked };
}

function dump(...answers: (readonly Answer[])[]) {
  const { kernel, asked } = talk(...answers);
  const found = kernel.dump(RTM_GETLINK, RTM_NEWLINK, new Uint8Array(16)).map((body) => [...body]);
  return { found, asked: asked.length };
}

describe("a question about all", () => {
  const [one, two]: Answer[] = [
    { type: RTM_NEWLINK, body: [1, 1, 1, 1] },
    { type: RTM_NEWLINK, body: [2, 2, 2, 2] },
  ];
  const all = one === undefined || two === undefined ? [] : [one, two];

  test("is answered by what is of the wanted type, up to the end", () => {
    const other = { type: 99, body: [9, 9, 9, 9] };
    expect(dump([...all, other, DONE, ...all])).toEqual({
      found: all.map(({ body }) => [...body]),
      asked: 1,
    });
  });

  test("is asked again when something changed meanwhile, five times at most", () => {
    const changed = all.map((answer, at) => (at === 0 ? { ...answer, flags: NLM_F_DUMP_INTR } : answer));
    expect(dump([...changed, DONE], [...changed.slice(0, 1), DONE], [...all.slice(1), DONE])).toEqual({
      found: [[2, 2, 2, 2]],
      asked: 3,
    });
    expect(dump([...changed, DONE])).toEqual({ found: all.map(({ body }) => [...body]), asked: 5 });
  });

  test("takes no answer to another question", () => {
    const old = all.map((answer) => ({ ...answer, off: -1 }));
    expect(dump([...old, { ...DONE, off: -1 }, ...all.slice(1), DONE]).found).toEqual([[2, 2, 2, 2]]);
  });

  test("that is refused, or ends badly, has the errno; one without an answer waits for none", () => {
    const minus13 = [0xf3, 0xff, 0xff, 0xff];
    expect(() => dump([{ type: NLMSG_ERROR, body: minus13 }])).toThrow("EACCES");
    expect(() => dump([...all, { type: NLMSG_DONE, body: minus13 }])).toThrow("EACCES");
    expect(() => dump(all)).toThrow("ENODATA");
  });
});

/** What an order is told the kernel as, which takes it: the type, the body, and its attributes behind a struct. */
function ordered(order: (kernel: Rtnetlink) => void, struct_bytes: number) {
  const { kernel, asked } = talk([
    { type: NLMSG_ERROR, body: NO_ERROR, off: -1 },
    { type: NLMSG_ERROR, body: NO_ERROR },
  ]);
  order(kernel);
  const [{ type, flags, body } = { type: 0, flags: 0, body: new Uint8Array() }] = asked;
  const attributes = parseAttributes(body, struct_bytes).map(({ type: kind, value }) => [kind, ...value]);
  return { type, flags, body, attributes };
}

describe("an order", () => {
  test("that is refused has the errno", () => {
    const { kernel } = talk([{ type: NLMSG_ERROR, body: [0xef, 0xff, 0xff, 0xff] }]);
    expect(() => changeLink(kernel, 1, { isUp: true })).toThrow("EEXIST");
  });

  test("sets an address with its other end, its broadcast, and at once", () => {
    const address = Uint8Array.of(10, 0, 0, 2);
    const wanted = { link: 3, address, prefix: 24 };
    const more = {
      peer: Uint8Array.of(10, 0, 0, 9),
      broadcast: Uint8Array.of(10, 0, 0, 255),
      withoutCheck: true,
    };
    const plain = ordered((kernel) => addAddress(kernel, wanted), 8);
    expect([plain.type, plain.flags, ...plain.body.subarray(0, 8)]).toEqual([
      20, 0x505, 2, 24, 0, 0, 3, 0, 0, 0,
    ]);
    // IFA_LOCAL, IFA_ADDRESS
    expect(plain.attributes).toEqual([
      [2, ...address],
      [1, ...address],
    ]);
    const { body, attributes } = ordered((kernel) => addAddress(kernel, { ...wanted, ...more }), 8);
    // IFA_BROADCAST, and IFA_FLAGS with IFA_F_NODAD
    expect(attributes).toEqual([
      [2, ...address],
      [1, ...more.peer],
      [4, ...more.broadcast],
      [8, 2, 0, 0, 0],
    ]);
    expect(parseAddress(body)).toMatchObject({ link: 3, address, prefix: 24 });
  });

  test("sets a route: to the default, by a gateway on the link, with a metric; to a network on the link", () => {
    const gateway = Uint8Array.of(10, 0, 0, 1);
    const byGateway = { link: 3, prefix: 0, gateway, isOnLink: true, metric: 1024, origin: "dhcp" } as const;
    const first = ordered((kernel) => addRoute(kernel, byGateway), 12);
    // struct rtmsg: AF_INET; table main, RTPROT_DHCP, RT_SCOPE_UNIVERSE, RTN_UNICAST; RTNH_F_ONLINK
    expect([first.type, first.flags, ...first.body.subarray(0, 12)]).toEqual([
      24, 0x505, 2, 0, 0, 0, 254, 16, 0, 1, 4, 0, 0, 0,
    ]);
    // RTA_GATEWAY, RTA_OIF, RTA_PRIORITY
    expect(first.attributes).toEqual([
      [5, ...gateway],
      [4, 3, 0, 0, 0],
      [6, 0, 4, 0, 0],
    ]);
    const destination = Uint8Array.of(0xfd, ...Array.from({ length: 15 }, () => 0));
    const onLink = { link: undefined, destination, prefix: 8, origin: "static" } as const;
    const second = ordered((kernel) => addRoute(kernel, onLink), 12);
    expect([...second.body.subarray(0, 12)]).toEqual([10, 8, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0]);
    expect(second.attributes).toEqual([[1, ...destination]]);
  });

  test("makes a VLAN, and changes a link", () => {
    const vlan = { kind: "vlan", name: "v", id: 0x102, below: 7 } as const;
    const made = ordered((kernel) => addLink(kernel, vlan), 16);
    const inside = made.attributes.at(-1)?.slice(1) ?? [];
    const info = parseAttributes(Uint8Array.from(inside)).map(({ type, value }) => [type, ...value]);
    expect([made.type, made.flags]).toEqual([16, 0x605]);
    // IFLA_IFNAME, IFLA_LINK; IFLA_INFO_KIND, IFLA_INFO_DATA with IFLA_VLAN_ID
    expect(made.attributes.slice(0, -1)).toEqual([
      [3, 0x76, 0],
      [5, 7, 0, 0, 0],
    ]);
    expect(info).toEqual([
      [1, ...Buffer.from("vlan\0")],
      [2, 6, 0, 1, 0, 2, 1, 0, 0],
    ]);
    const change = { isUp: false, name: "n", mac: "02:00:00:00:00:0a", mtu: 1400, master: 0 };
    const changed = ordered((kernel) => changeLink(kernel, 5, change), 16);
    // struct ifinfomsg: the flags are 0, and IFF_UP alone is meant.
    expect([...changed.body.subarray(4, 16)]).toEqual([5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect(changed.attributes).toEqual([
      [3, 0x6e, 0],
      [1, 2, 0, 0, 0, 0, 10],
      [4, 0x78, 5, 0, 0],
      [10, 0, 0, 0, 0],
    ]);
    const untouched = ordered((kernel) => changeLink(kernel, 5, { mtu: 1400 }), 16);
    expect([...untouched.body.subarray(8, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("what the kernel says", () => {
  const [IFF_UP, IFF_LOWER_UP] = [1, 0x10000];

  test.each([
    ["up, and its driver says so", IFF_UP | IFF_LOWER_UP, 6, true],
    ["up, with a driver that says nothing", IFF_UP | IFF_LOWER_UP, 0, true],
    ["up without a carrier, with a driver that says nothing", IFF_UP, 0, false],
    ["up, the one below it down", IFF_UP | IFF_LOWER_UP, 3, false],
    ["switched off", 0, 6, false],
  ])("of a link that is %s", (_, flags, state, isOperational) => {
    const header = new Uint8Array(16);
    new DataView(header.buffer).setUint32(8, flags, true);
    const link = Buffer.concat([header, packString(3, "eth0"), packAttribute(16, Uint8Array.of(state))]);
    expect(parseLink(link)).toMatchObject({ name: "eth0", isOperational, isUp: (flags & IFF_UP) !== 0 });
  });

  const [own, peer] = [Uint8Array.of(10, 0, 0, 2), Uint8Array.of(10, 0, 0, 9)];

  test("of an address between two machines", () => {
    expect(addressTold(0, [packAttribute(1, peer), packAttribute(2, own)])).toMatchObject({ address: own });
    expect(addressTold(0, [packAttribute(1, own)])).toMatchObject({ address: own });
    expect(addressTold(0, [packAttribute(1, own.subarray(1))])).toBeUndefined();
  });

  test.each([
    ["tentative", 0x40, { isTentative: true, isDuplicate: false, isPermanent: false }],
    ["optimistic", 0x44, { isTentative: false, isDuplicate: false, isPermanent: false }],
    ["duplicate", 0x48, { isTentative: true, isDuplicate: true, isPermanent: false }],
    ["permanent", 0x80, { isTentative: false, isDuplicate: false, isPermanent: true }],
  ])("of an address that is %s, the longer field of flags before the shorter", (_, flags, state) => {
    expect(addressTold(flags, [packAttribute(2, own)])).toMatchObject(state);
    expect(addressTold(flags ^ 0xff, [packAttribute(2, own), packNumber(8, flags)])).toMatchObject(state);
  });

  test("of routes that lead somewhere, in the main table", () => {
    expect(routeTold({})).toMatchObject({ family: 4, origin: "kernel", destination: undefined });
    expect(routeTold({ family: 10 })).toMatchObject({ family: 6 });
    // A table whose number does not fit the struct: RT_TABLE_COMPAT there, RTA_TABLE behind it.
    expect(routeTold({ table: 252 }, [packNumber(15, 254)])).toMatchObject({ family: 4 });
    expect(routeTold({ table: 254 }, [packNumber(15, 1000)])).toBeUndefined();
    expect(routeTold({ table: 255 })).toBeUndefined();
    // RTN_UNREACHABLE; RTM_F_CLONED, of a cache; a family that is none of the two.
    expect(routeTold({ kind: 7 })).toBeUndefined();
    expect(routeTold({ flags: 0x200 })).toBeUndefined();
    expect(routeTold({ family: 7 })).toBeUndefined();
  });
});

function addressTold(flags: number, more: readonly Uint8Array[]) {
  return parseAddress(Buffer.concat([Uint8Array.of(2, 24, flags, 0, 3, 0, 0, 0), ...more]));
}

/** A route's struct rtmsg, of table main, with these in place of what it has. */
function routeTold({ table = 254, kind = 1, flags = 0, family = 2 }, more: readonly Uint8Array[] = []) {
  const header = Uint8Array.of(family, 0, 0, 0, table, 2, 0, kind, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(8, flags, true);
  return parseRoute(Buffer.concat([header, ...more]));
}
