/**
 * The address of a server by its name: asked of the name servers that the network has. A resolver of our own, as the C
 * library's needs files and libraries that the image does not have, and would tell of no deadline.
 */

import { readTextIfThere } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { NetworkState } from "../../network/types.ts";
import type { Boot } from "../context.ts";
import { waitInTheOpen } from "../wait.ts";
import { type DnsAnswer, type Family, decodeAnswer, encodeQuestion } from "./dns-message.ts";
import { isIpv4, isIpv6 } from "./host.ts";
import type { NetworkAccess } from "./network.ts";

/** Sends a question to a server's port 53; the datagrams that come back go to `take` until it is closed. */
export type Ask = (server: string, question: Uint8Array, take: (bytes: Uint8Array) => void) => Promise<Asked>;

export interface Asked {
  send(): void;
  close(): void;
}

/** What a name is looked up by. */
export type NetworkView = Pick<NetworkAccess, "state" | "changed">;

/**
 * The numbers of a server: its own when that is what it is named by, else those of /etc/hosts, else what the name servers
 * say: IPv4 first, unless the machine has addresses of IPv6 alone.
 * @throws UserError when its name leads to none
 */
export async function findAddress(
  boot: Boot,
  server: string,
  network: NetworkView,
  ask: Ask = askByUdp,
): Promise<string> {
  if (isIpv4(server) || isIpv6(server)) return server;
  const listed = addressInHosts(readTextIfThere(boot.sys, "/etc/hosts") ?? "", server);
  if (listed !== undefined) return listed;
  const { nameservers, interfaces } = await untilNameServer(boot, server, network);
  if (nameservers.length === 0)
    throw new UserError(
      `The address of ${text(server)} can't be looked up: the network has no name server.`,
      "Name the server by its address, or a name server by nameserver=.",
    );
  // A name without a dot is one of the network's own domain.
  const domain = server.includes(".")
    ? undefined
    : interfaces.find(({ lease }) => lease?.domain)?.lease?.domain;
  const name = domain === undefined ? server : `${server}.${domain}`;
  const own = interfaces.flatMap(({ addresses }) => addresses);
  const prefers = own.length > 0 && own.every((address) => address.includes(":")) ? 6 : 4;
  const search = new Search(name, nameservers, prefers, ask);
  const found = await waitInTheOpen(boot, {
    look: async () => search.result,
    changed: () => search.changed(),
    describe: async () => `waiting for the address of ${text(server)} from ${nameservers.join(", ")}`,
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  search.stop();
  if (found === undefined)
    throw new UserError(
      `No name server has told the address of ${text(server)} within ${(boot.options.deviceTimeout_ms ?? 0) / 1000} s: ` +
        `${nameservers.join(", ")} ${search.refusal === undefined ? "did not answer" : `can't tell (${search.refusal})`}.`,
      "Name the server by its address to do without.",
    );
  if (found instanceof UserError) throw found;
  boot.log.debug(`${text(server)} is ${found}`);
  return found;
}

// Router advertisements bring an address, and DHCPv6 the name servers behind it.
async function untilNameServer(boot: Boot, server: string, network: NetworkView): Promise<NetworkState> {
  const found = await waitInTheOpen(boot, {
    look: async () => {
      const state = network.state();
      return state.nameservers.length > 0 ? state : undefined;
    },
    changed: () => network.changed(),
    describe: async () => `waiting for a name server that knows ${text(server)}`,
    timeout_ms: Math.min(LATE_MS, boot.options.deviceTimeout_ms ?? LATE_MS),
  });
  return found ?? network.state();
}

/** How long after an address a name server may come. */
const LATE_MS = 5000;

/** The address of a name in the text of hosts(5). */
export function addressInHosts(hosts: string, name: string): string | undefined {
  const lines = hosts.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/));
  return lines.find(([, ...names]) => names.some((one) => one.toLowerCase() === name.toLowerCase()))?.[0];
}

/** Asks all servers for both families, again and again; the first address of one counts, of the other when there is none. */
class Search {
  result: string | UserError | undefined;
  /** What a server said that can't tell. */
  refusal: string | undefined;
  private readonly name: string;
  private readonly prefers: Family;
  private readonly open: Asked[] = [];
  private readonly answers = new Map<Family, DnsAnswer>();
  private waiters: (() => void)[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private isOver = false;

  constructor(name: string, nameservers: readonly string[], prefers: Family, ask: Ask) {
    this.name = name;
    this.prefers = prefers;
    void this.begin(nameservers, ask);
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  stop(): void {
    this.isOver = true;
    clearInterval(this.timer);
    for (const asked of this.open.splice(0)) asked.close();
  }

  private async begin(nameservers: readonly string[], ask: Ask): Promise<void> {
    const problems: string[] = [];
    for (const server of nameservers)
      for (const family of [4, 6] as const) {
        const question = encodeQuestion(randomId(), this.name, family);
        if (question === undefined)
          return this.end(new UserError(`The name ${text(this.name)} can't be that of a server.`));
        try {
          const asked = await ask(server, question, (bytes) => this.take(family, bytes, question));
          if (this.isOver) return asked.close();
          this.open.push(asked);
          asked.send();
        } catch (error) {
          problems.push(`${server}: ${describe(error)}`);
        }
      }
    if (this.open.length === 0)
      return this.end(
        new UserError(`No name server can be asked for ${text(this.name)}: ${problems.join("; ")}.`),
      );
    // A datagram may be lost, and no event tells of it.
    this.timer = setInterval(() => {
      for (const asked of this.open) asked.send();
    }, AGAIN_MS);
  }

  private take(family: Family, bytes: Uint8Array, question: Uint8Array): void {
    const answer = decodeAnswer(bytes, question);
    if (answer === undefined || this.result !== undefined) return;
    // A server that can't tell (SERVFAIL, REFUSED) may be no word about the name: another may know.
    if (answer.code !== 0 && answer.code !== NO_SUCH_NAME) {
      this.refusal = CODES[answer.code] ?? `code ${answer.code}`;
      return;
    }
    if (!this.answers.has(family) || answer.addresses.length > 0) this.answers.set(family, answer);
    const [first] = this.answers.get(this.prefers)?.addresses ?? [];
    if (first !== undefined) return this.end(first);
    if (this.answers.size < 2) return;
    const [second] = this.answers.get(this.prefers === 4 ? 6 : 4)?.addresses ?? [];
    const none = `The name servers know no address of ${text(this.name)}.`;
    this.end(second ?? new UserError(none, "Is the name right? Name the server by its address otherwise."));
  }

  private end(result: string | UserError): void {
    this.result = result;
    this.stop();
    for (const waiter of this.waiters.splice(0)) waiter();
  }
}

const AGAIN_MS = 2000;
const NO_SUCH_NAME = 3;
/** RFC 1035, section 4.1.1. */
const CODES: Readonly<Record<number, string>> = { 1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED" };

// Not to be guessed by who would like to answer in the server's place.
function randomId(): number {
  return crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
}

/** As Ask has it, by datagrams. The other `port` is for tests. */
export async function askByUdp(
  server: string,
  question: Uint8Array,
  take: (bytes: Uint8Array) => void,
  port = 53,
): Promise<Asked> {
  const socket = await Bun.udpSocket({
    // Its own default is a socket of IPv4, from which no other address can be reached.
    hostname: server.includes(":") ? "::" : "0.0.0.0",
    connect: { hostname: server, port },
    socket: { data: (_, bytes) => take(bytes), error: () => undefined },
  });
  return { send: () => void socket.send(question), close: () => socket.close() };
}
