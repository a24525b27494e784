import { describe, expect, test } from "bun:test";
import type { Boot } from "../../../../src/boot/context.ts";
import { decodeAnswer, encodeQuestion } from "../../../../src/boot/netroot/dns-message.ts";
import { type Ask, addressInHosts, askByUdp, findAddress } from "../../../../src/boot/netroot/lookup.ts";
import type { NetworkState } from "../../../../src/network/types.ts";
import { fakeKernel } from "../../../../syscalls/fake.ts";
import { bootOn } from "../../../fixtures/disks-in-memory.ts";

function setting(line: string, hosts = "") {
  const { sys } = fakeKernel({ rootfs: { etc: { hosts } } });
  return bootOn(sys, line);
}

function factsOf(...addresses: string[]): NetworkState {
  return { interfaces: [{ name: "eth0", addresses }], nameservers: ["fd77::1"] };
}

/** In a network that is as it is. */
function lookUp(boot: Boot, server: string, state: NetworkState, ask?: Ask): Promise<string> {
  return findAddress(boot, server, { state: () => state, changed: () => new Promise(() => undefined) }, ask);
}

type Record = readonly [type: number, data: readonly number[]];

/** The server's answer to a question: its header and name as they came, and records that point to the name. */
function answer(question: Uint8Array, records: readonly Record[], code = 0): Uint8Array {
  const body = records.flatMap(([type, data]) => [
    0xc0,
    12,
    0,
    type,
    0,
    1,
    0,
    0,
    0,
    60,
    0,
    data.length,
    ...data,
  ]);
  const bytes = Uint8Array.from([...question, ...body]);
  bytes[2] = 0x81;
  bytes[3] = 0x80 | code;
  bytes[7] = records.length;
  return bytes;
}

const ALIAS: Record = [5, [1, 97, 0]];
const A: Record = [1, [10, 77, 0, 1]];
const AAAA: Record = [28, [0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]];

function typeOf(question: Uint8Array): number {
  return question.at(-3) ?? 0;
}

/** Servers that answer as `say` has it; what they were asked, and how many sockets are open. */
function servers(say: (server: string, question: Uint8Array) => Uint8Array | undefined) {
  const asked: string[] = [];
  const state = { open: 0 };
  const ask: Ask = async (server, question, take) => {
    state.open += 1;
    return {
      send: () => {
        asked.push(`${server} ${Buffer.from(question.slice(13, -5)).toString("latin1")} ${typeOf(question)}`);
        const bytes = say(server, question);
        if (bytes !== undefined) queueMicrotask(() => take(bytes));
      },
      close: () => void (state.open -= 1),
    };
  };
  return { ask, asked, state };
}

const unreachable: Ask = () => Promise.reject(new Error("no way"));

const one = { interfaces: [], nameservers: ["10.77.0.1"] };

test("addresses are their own", async () => {
  const { boot } = setting("rd.timeout=0.1");
  const nobody = { interfaces: [], nameservers: [] };
  expect(await lookUp(boot, "10.0.2.2", nobody)).toBe("10.0.2.2");
  expect(await lookUp(boot, "fe80::1%eth0", nobody)).toBe("fe80::1%eth0");
  await expect(lookUp(boot, "server", nobody)).rejects.toThrow("the network has no name server");
});

test("the image's /etc/hosts counts first", async () => {
  const hosts = "127.0.0.1 localhost # server\n10.0.0.7\tserver.test  SERVER # x\n\n";
  const { boot } = setting("", hosts);
  expect(await lookUp(boot, "server", { interfaces: [], nameservers: [] })).toBe("10.0.0.7");
  expect(addressInHosts(hosts, "x")).toBeUndefined();
});

describe("name servers", () => {
  test("tell an address of IPv4 behind an alias", async () => {
    const { ask, asked, state } = servers((_, question) =>
      typeOf(question) === 1 ? answer(question, [ALIAS, A]) : undefined,
    );
    expect(await lookUp(setting("").boot, "server.test", one, ask)).toBe("10.77.0.1");
    expect(asked[0]).toContain("10.77.0.1 server");
    expect(state.open).toBe(0);
  });
  test("tell one of IPv6 where there is no other", async () => {
    const { ask } = servers((_, question) => answer(question, typeOf(question) === 1 ? [] : [AAAA]));
    expect(await lookUp(setting("").boot, "server.test", one, ask)).toBe("fd77::1");
  });
  test("are asked in the network's own domain for a name without a dot", async () => {
    const { ask, asked } = servers((_, question) => answer(question, [A]));
    const lease = {
      family: 4,
      address: "10.77.0.9",
      prefix: 24,
      routers: [],
      routes: [],
      nameservers: [],
    } as const;
    const facts = {
      ...one,
      interfaces: [{ name: "eth0", addresses: [], lease: { ...lease, domain: "test" } }],
    };
    await lookUp(setting("").boot, "server", facts, ask);
    expect(asked[0]).toContain("server\u0004test");
  });
  test("that can't tell, or answer others, leave it to the next", async () => {
    const facts = { interfaces: [], nameservers: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] };
    const { ask } = servers((server, question) => {
      if (server === "10.0.0.1") return answer(question, [], 2);
      if (server === "10.0.0.2") return answer(encodeQuestion(1, "other", 4) ?? question, [A]);
      return typeOf(question) === 1 ? answer(question, [A]) : undefined;
    });
    expect(await lookUp(setting("").boot, "server.test", facts, ask)).toBe("10.77.0.1");
  });
  test("are asked by their addresses of either family", async () => {
    for (const server of ["127.0.0.1", "::1"]) {
      const asked = Promise.withResolvers<Uint8Array>();
      const answered = Promise.withResolvers<Uint8Array>();
      const listener = await Bun.udpSocket({
        hostname: server,
        socket: {
          data(socket, bytes, port, address) {
            asked.resolve(bytes);
            socket.send("yes", port, address);
          },
        },
      });
      const { send, close } = await askByUdp(
        server,
        new TextEncoder().encode("who"),
        answered.resolve,
        listener.port,
      );
      send();
      expect(new TextDecoder().decode(await asked.promise)).toBe("who");
      expect(new TextDecoder().decode(await answered.promise)).toBe("yes");
      close();
      listener.close();
    }
  });
  test("are believed for IPv6 first where the machine has no other address", async () => {
    const { ask } = servers((_, question) => answer(question, [typeOf(question) === 1 ? A : AAAA]));
    const find = (state: NetworkState): Promise<string> =>
      lookUp(setting("").boot, "server.test", state, ask);
    expect(await find(factsOf("fd77::9/64"))).toBe("fd77::1");
    expect(await find(factsOf("fd77::9/64", "10.77.0.9/24"))).toBe("10.77.0.1");
  });
  test("may come a moment after the address", async () => {
    const { ask } = servers((_, question) => answer(question, [typeOf(question) === 1 ? A : AAAA]));
    const none: NetworkState = { interfaces: [], nameservers: [] };
    const next = Promise.withResolvers<void>();
    let state = none;
    const found = findAddress(
      setting("").boot,
      "server.test",
      { state: () => state, changed: () => next.promise },
      ask,
    );
    await Bun.sleep(1);
    state = { ...none, nameservers: ["10.0.0.1"] };
    next.resolve();
    expect(await found).toBe("10.77.0.1");
  });
  test("know no such name", async () => {
    const { ask } = servers((_, question) => answer(question, [], 3));
    await expect(lookUp(setting("").boot, "server.test", one, ask)).rejects.toThrow(
      "The name servers know no address of server.test.",
    );
  });
  test("do not answer: there is a sentence at the deadline", async () => {
    const { boot, lines } = setting("rd.timeout=1.5");
    const { ask, state } = servers(() => undefined);
    await expect(lookUp(boot, "server.test", one, ask)).rejects.toThrow("10.77.0.1 did not answer.");
    expect(lines.join("\n")).toContain("waiting for the address of server.test from 10.77.0.1");
    expect(state.open).toBe(0);
  });
  test("answer, and can't tell: so says the sentence at the deadline", async () => {
    const { boot } = setting("rd.timeout=0.1");
    const { ask } = servers((_, question) => answer(question, [], 5));
    await expect(lookUp(boot, "server.test", one, ask)).rejects.toThrow("10.77.0.1 can't tell (REFUSED).");
  });
  test("can't be reached at all", async () => {
    await expect(lookUp(setting("").boot, "server.test", one, unreachable)).rejects.toThrow(
      "No name server can be asked for server.test: 10.77.0.1: no way",
    );
  });
});

test("what can't be a name is not asked for", async () => {
  const { ask } = servers(() => undefined);
  for (const name of ["a..b", `${"x".repeat(64)}.test`, ".test"])
    await expect(lookUp(setting("").boot, name, one, ask)).rejects.toThrow("can't be that of a server");
});

test("an answer that is cut off, or to something else, is none", () => {
  const question = encodeQuestion(7, "server.test", 4) as Uint8Array;
  const whole = answer(question, [ALIAS, A]);
  expect(decodeAnswer(whole, question)).toEqual({ addresses: ["10.77.0.1"], code: 0 });
  for (let length = 0; length < whole.length; length++)
    expect(decodeAnswer(whole.slice(0, length), question)).toBeUndefined();
  expect(decodeAnswer(question, question)).toBeUndefined();
  const other = encodeQuestion(8, "server.test", 4) as Uint8Array;
  expect(decodeAnswer(whole, other)).toBeUndefined();
  const upper = Uint8Array.from(whole);
  upper[13] = "S".charCodeAt(0);
  expect(decodeAnswer(upper, question)?.addresses).toEqual(["10.77.0.1"]);
});
