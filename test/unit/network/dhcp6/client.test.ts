/** A client of DHCPv6 against a server, on a clock of the test's: RFC 8415 section 18. */

import { describe, expect, test } from "bun:test";
import { Dhcp6Client, type Dhcp6Event, type Dhcp6Step } from "../../../../src/network/dhcp6/client.ts";
import type { Dhcp6Task } from "../../../../src/network/dhcp6/exchange.ts";
import { duidOfMac } from "../../../../src/network/dhcp6/identity.ts";
import type { Dhcp6Message } from "../../../../src/network/dhcp6/message.ts";
import { parseDhcp6 } from "../../../../src/network/dhcp6/read.ts";
import { packDhcp6 } from "../../../../src/network/dhcp6/write.ts";
import { type Dhcp6ServerConduct, anAddress, answerDhcp6 } from "../../../fixtures/dhcp6-server.ts";

const task: Dhcp6Task = { duid: duidOfMac("52:54:00:12:34:56"), id: 7, wants: "address", hostName: "web" };

/** A client with a clock, and what it says. */
class Bench {
  readonly client: Dhcp6Client;
  readonly said: { readonly at_ms: number; readonly message: Dhcp6Message }[] = [];
  readonly events: Dhcp6Event[] = [];
  now_ms = 0;
  wake_ms = 0;

  constructor(wanted: Partial<Dhcp6Task> = {}, random = 0.5) {
    this.client = new Dhcp6Client({ ...task, ...wanted }, () => random);
  }

  /** Sleeps until the client wants to be woken. */
  sleep(): void {
    this.now_ms = Math.max(this.now_ms, this.wake_ms);
    this.note(this.client.step(this.now_ms));
  }

  /** Sleeps until the client has said something, `limit` times at most. */
  listen(limit = 10): Dhcp6Message {
    const before = this.said.length;
    for (let at = 0; at < limit && this.said.length === before; at++) this.sleep();
    const message = this.said.at(-1)?.message;
    if (message === undefined || this.said.length === before) throw new Error("the client says nothing");
    return message;
  }

  tell(message: Dhcp6Message | undefined): void {
    if (message === undefined) return;
    this.note(this.client.step(this.now_ms, packDhcp6(message)));
  }

  /** Lets a server answer until there is an event. */
  converse(conduct?: Dhcp6ServerConduct): void {
    for (let answered = 0; answered < 20 && this.events.length === 0; answered++) {
      if (this.said.length <= answered) this.listen();
      const message = this.said[answered]?.message;
      if (message !== undefined) this.tell(answerDhcp6(message, conduct));
    }
  }

  note({ send, wake_ms, event }: Dhcp6Step): void {
    const message = send === undefined ? undefined : parseDhcp6(send);
    if (message !== undefined) this.said.push({ at_ms: this.now_ms, message });
    if (event !== undefined) this.events.push(event);
    this.wake_ms = wake_ms;
  }

  types(): string[] {
    return this.said.map(({ message }) => message.type);
  }
}

const leased = {
  kind: "bound",
  lease: {
    family: 6,
    address: "fd00::15",
    prefix: 128,
    routers: [],
    routes: [],
    nameservers: ["fd00::53"],
    search: ["example.org"],
    seconds: 2000,
  },
} as const;

describe("to a lease", () => {
  test("in four messages, when the first pause is over", () => {
    const bench = new Bench();
    bench.converse();
    expect(bench.types()).toEqual(["solicit", "request"]);
    expect(bench.events).toEqual([leased]);
    const [solicit, request] = bench.said;
    expect(solicit).toMatchObject({
      at_ms: 500,
      message: { elapsed_cs: 0, rapidCommit: true, hostName: "web" },
    });
    expect(request).toMatchObject({
      at_ms: 1500,
      message: { associations: [{ id: 7, addresses: [{ address: "fd00::15" }] }] },
    });
    expect(request?.message.serverId).toBeDefined();
    expect(bench.wake_ms).toBe(1500 + 500_000);
  });

  test("at once, by the highest preference", () => {
    const bench = new Bench();
    bench.converse({ preference: 255 });
    expect(bench.said.map(({ at_ms }) => at_ms)).toEqual([500, 500]);
    expect(bench.events).toEqual([leased]);
  });

  test("in two messages, when the server commits at once", () => {
    const bench = new Bench();
    bench.converse({ rapid: true });
    expect(bench.types()).toEqual(["solicit"]);
    expect(bench.events).toEqual([leased]);
  });

  test("of the server that wants it most", () => {
    const bench = new Bench();
    const solicit = bench.listen();
    const server = (at: number, preference: number): void =>
      bench.tell(answerDhcp6(solicit, { serverId: Uint8Array.of(at), preference }));
    server(1, 3);
    server(2, 9);
    server(3, 5);
    expect(bench.listen().serverId).toEqual(Uint8Array.of(2));
  });

  test("although the first answer comes late, and is taken at once then", () => {
    const bench = new Bench();
    bench.listen();
    const second = bench.listen();
    bench.tell(answerDhcp6(second));
    expect(bench.types()).toEqual(["solicit", "solicit", "request"]);
    expect(bench.said[2]?.at_ms).toBe(bench.said[1]?.at_ms);
  });

  test("although the server that offered falls silent", () => {
    const bench = new Bench();
    bench.tell(answerDhcp6(bench.listen()));
    for (let at = 0; at < 10; at++) expect(bench.listen().type).toBe("request");
    expect(bench.listen().type).toBe("solicit");
    bench.converse();
    expect(bench.events).toEqual([leased]);
  });

  test("asking slower and slower", () => {
    const bench = new Bench();
    for (let at = 0; at < 6; at++) bench.listen();
    expect(bench.said.map(({ at_ms }) => at_ms - 500)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
    expect(bench.said[3]?.message.elapsed_cs).toBe(700);
    expect(new Set(bench.said.map(({ message }) => message.transaction)).size).toBe(1);
  });
});

describe("a server's refusal is told, and asking goes on", () => {
  const none = { code: 2, message: "all gone" };
  test("in its offer", () => {
    const bench = new Bench();
    bench.tell(answerDhcp6(bench.listen(), { refuse: { solicit: none } }));
    expect(bench.events).toEqual([{ kind: "refused", why: "the server has no address to give (all gone)" }]);
    expect(bench.listen().type).toBe("solicit");
  });
  test("in its reply", () => {
    const bench = new Bench();
    bench.tell(answerDhcp6(bench.listen()));
    bench.tell(answerDhcp6(bench.listen(), { refuse: { request: { code: 4, message: "" } } }));
    expect(bench.events).toEqual([{ kind: "refused", why: "the address does not belong to this network" }]);
    expect(bench.listen().type).toBe("solicit");
  });
});

describe("a lease is kept", () => {
  const conduct = { renew_s: 100, rebind_s: 160, address: { ...anAddress, preferred_s: 180, valid_s: 200 } };
  test("by the same server, when its first time is over", () => {
    const bench = bound(conduct);
    const renew = bench.listen();
    expect(renew).toMatchObject({ type: "renew", associations: [{ addresses: [{ address: "fd00::15" }] }] });
    expect(renew.serverId).toBeDefined();
    expect(bench.said[0]?.at_ms).toBe(500 + 100_000);
    bench.tell(answerDhcp6(renew, conduct));
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
    expect(bench.wake_ms).toBe(500 + 200_000);
  });

  test("by any server, when its second time is over", () => {
    const bench = bound(conduct);
    let message = bench.listen();
    for (let at = 0; at < 10 && message.type === "renew"; at++) message = bench.listen();
    expect(message.type).toBe("rebind");
    expect(message.serverId).toBeUndefined();
    expect(bench.said.at(-1)?.at_ms).toBe(500 + 160_000);
    bench.tell(answerDhcp6(message, { ...conduct, serverId: Uint8Array.of(9) }));
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
  });

  test("to its end, and no longer", () => {
    const bench = bound(conduct);
    for (let at = 0; at < 30 && bench.events.length === 0; at++) bench.sleep();
    expect(bench.events).toEqual([{ kind: "lost" }]);
    expect(bench.now_ms).toBe(500 + 200_000);
    expect(bench.said.at(-1)?.message.type).toBe("solicit");
  });

  test("anew, when the server has forgotten it", () => {
    const bench = bound(conduct);
    bench.tell(answerDhcp6(bench.listen(), { ...conduct, refuse: { renew: { code: 3, message: "" } } }));
    expect(bench.said.at(-1)?.message.type).toBe("request");
    bench.tell(answerDhcp6(bench.said.at(-1)?.message as Dhcp6Message, conduct));
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
  });

  test("although the server that has forgotten it refuses it, as long as it lasts, and another is asked for", () => {
    const bench = bound(conduct);
    const none = { code: 3, message: "" };
    bench.tell(answerDhcp6(bench.listen(), { ...conduct, refuse: { renew: none } }));
    bench.tell(
      answerDhcp6(bench.said.at(-1)?.message as Dhcp6Message, { ...conduct, refuse: { request: none } }),
    );
    expect(bench.events).toEqual([{ kind: "refused", why: "the server does not know of the address" }]);
    bench.events.length = 0;
    const solicit = bench.listen();
    expect(solicit.type).toBe("solicit");
    bench.tell(answerDhcp6(solicit, conduct));
    bench.tell(answerDhcp6(bench.listen(), conduct));
    expect(bench.types().slice(-2)).toEqual(["solicit", "request"]);
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
  });

  test("without haste, although the server gives no time at all", () => {
    const bench = new Bench();
    bench.converse({ rapid: true, address: { ...anAddress, preferred_s: 0 } });
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
    expect(bench.wake_ms).toBe(bench.now_ms + 1000);
  });

  test("for ever, when it has no end", () => {
    const bench = new Bench();
    bench.converse({ rapid: true, address: { ...anAddress, preferred_s: 0xffffffff, valid_s: 0xffffffff } });
    expect(bench.wake_ms).toBe(Infinity);
    expect(bench.events).toMatchObject([{ kind: "bound" }]);
    expect(bench.events[0]?.kind === "bound" && "seconds" in bench.events[0].lease).toBe(false);
  });
});

function bound(conduct: Dhcp6ServerConduct = {}): Bench {
  const bench = new Bench();
  bench.converse({ ...conduct, rapid: true });
  bench.events.length = 0;
  bench.said.length = 0;
  return bench;
}

describe("a lease is given back", () => {
  test("and the server says so", () => {
    const bench = bound();
    bench.note(bench.client.release(bench.now_ms));
    const [release] = bench.said;
    expect(release?.message).toMatchObject({
      type: "release",
      associations: [{ addresses: [{ address: "fd00::15" }] }],
    });
    // Nothing is asked for any more.
    expect(release?.message.requested).toBeUndefined();
    expect(release?.message.hostName).toBeUndefined();
    bench.tell(answerDhcp6(release?.message as Dhcp6Message));
    expect(bench.events).toEqual([{ kind: "released" }]);
    expect(bench.wake_ms).toBe(Infinity);
  });

  test("four times to a server that does not answer", () => {
    const bench = bound();
    bench.note(bench.client.release(bench.now_ms));
    for (let at = 0; at < 20 && bench.events.length === 0; at++) bench.sleep();
    expect(bench.types()).toEqual(["release", "release", "release", "release"]);
    expect(bench.events).toEqual([{ kind: "released" }]);
  });

  test("when there is none", () => {
    const bench = new Bench();
    bench.note(bench.client.release(0));
    expect(bench.events).toEqual([{ kind: "released" }]);
    expect(bench.wake_ms).toBe(Infinity);
  });

  test("and another is asked for, when another machine has the address", () => {
    const bench = bound();
    bench.note(bench.client.release(bench.now_ms, "decline"));
    bench.tell(answerDhcp6(bench.said[0]?.message as Dhcp6Message));
    expect(bench.types()).toEqual(["decline", "solicit"]);
  });
});

test("nameservers alone", () => {
  const bench = new Bench({ wants: "information" });
  const message = bench.listen();
  expect(message.type).toBe("information-request");
  expect(message.associations).toBeUndefined();
  bench.tell(answerDhcp6(message));
  expect(bench.events).toEqual([
    { kind: "informed", information: { nameservers: ["fd00::53"], search: ["example.org"] } },
  ]);
  expect(bench.wake_ms).toBe(Infinity);
});

describe("what is not for this client is passed over", () => {
  const changes: readonly (readonly [string, Partial<Dhcp6Message>])[] = [
    ["another's transaction", { transaction: 1 }],
    ["another client's", { clientId: Uint8Array.of(1, 2, 3) }],
    ["an answer to something else", { rapidCommit: false }],
    ["a client's own message", { type: "solicit" }],
    [
      "an address of another association",
      { associations: [{ id: 8, renew_s: 0, rebind_s: 0, addresses: [anAddress] }] },
    ],
    [
      "an address that is over",
      { associations: [{ id: 7, renew_s: 0, rebind_s: 0, addresses: [{ ...anAddress, valid_s: 0 }] }] },
    ],
    ["times that can't be", { associations: [{ id: 7, renew_s: 9, rebind_s: 8, addresses: [anAddress] }] }],
    [
      "lifetimes that can't be",
      { associations: [{ id: 7, renew_s: 0, rebind_s: 0, addresses: [{ ...anAddress, valid_s: 999 }] }] },
    ],
  ];
  test.each(changes)("%s", (_, change) => {
    const bench = new Bench();
    bench.tell({ ...(answerDhcp6(bench.listen(), { rapid: true }) as Dhcp6Message), ...change });
    expect(bench.events).toEqual([]);
    expect(bench.listen().type).toBe("solicit");
  });
});
