/**
 * A client of DHCPv6 without its socket and its clock: RFC 8415 section 18.2. Who has these calls step() at the
 * beginning, at the time that the step before named, and with each datagram that arrives, and sends what comes back
 * from port 546 of the link-local address to ff02::1:2, port 547. Time is in milliseconds, by any clock that never jumps.
 */

import type { Lease } from "../types.ts";
import { type Grant, grantOf, informationOf, lacksBinding, leaseOf, refusalOf } from "./answer.ts";
import { type Dhcp6Task, type Exchange, messageOf, newExchange } from "./exchange.ts";
import type { Dhcp6Message } from "./message.ts";
import { parseDhcp6 } from "./read.ts";
import { type Schedule, longestDelay_ms, nextPause, schedules } from "./retransmit.ts";
import { packDhcp6 } from "./write.ts";

/** What is to be done after a call. */
export interface Dhcp6Step {
  readonly send: Uint8Array | undefined;
  /** When step() is to be called at the latest; Infinity for never. */
  readonly wake_ms: number;
  readonly event: Dhcp6Event | undefined;
}

export type Dhcp6Event =
  /** There is a lease: the first, or one in place of the one before, of the same address or of another. */
  | { readonly kind: "bound"; readonly lease: Lease }
  | { readonly kind: "informed"; readonly information: ReturnType<typeof informationOf> }
  /** The address may not be used any more; another is asked for. */
  | { readonly kind: "lost" }
  /** A server has answered and gives none; asking goes on. */
  | { readonly kind: "refused"; readonly why: string }
  /** The address is given back, or nobody wants to hear of it. */
  | { readonly kind: "released" };

interface Binding {
  readonly grant: Grant;
  readonly serverId: Uint8Array;
  readonly since_ms: number;
}

/** One interface's client. */
export class Dhcp6Client {
  private readonly task: Dhcp6Task;
  private readonly random: () => number;
  private exchange: Exchange | undefined;
  private binding: Binding | undefined;
  private isBegun = false;

  /** `random` gives numbers from 0 to below 1. */
  constructor(task: Dhcp6Task, random: () => number = Math.random) {
    this.task = task;
    this.random = random;
  }

  /** Goes on, with a datagram or without. What is none of a server's answers is passed over. Never throws. */
  step(now_ms: number, datagram?: Uint8Array): Dhcp6Step {
    if (!this.isBegun) {
      this.isBegun = true;
      this.begin(now_ms + this.random() * longestDelay_ms);
    }
    const message = datagram === undefined ? undefined : parseDhcp6(datagram);
    const heard = message === undefined ? undefined : this.hear(message, now_ms);
    const passed = heard ?? this.passTime(now_ms);
    return { send: this.speak(now_ms), wake_ms: this.wake_ms(), event: passed };
  }

  /** Gives the address back; `why` is decline when another machine has it, and then another one is asked for. */
  release(now_ms: number, why: "release" | "decline" = "release"): Dhcp6Step {
    const { binding } = this;
    this.binding = undefined;
    this.exchange = undefined;
    this.isBegun = true;
    if (binding === undefined) return { send: undefined, wake_ms: Infinity, event: { kind: "released" } };
    this.ask(why, now_ms, binding.serverId, binding.grant.address);
    return { send: this.speak(now_ms), wake_ms: this.wake_ms(), event: undefined };
  }

  private begin(due_ms: number): void {
    this.ask(this.task.wants === "address" ? "solicit" : "information-request", due_ms);
  }

  private ask(
    type: Exchange["type"],
    due_ms: number,
    serverId?: Uint8Array,
    address?: Grant["address"],
  ): void {
    this.exchange = newExchange(type, due_ms, this.random(), serverId, address);
  }

  private hear(message: Dhcp6Message, now_ms: number): Dhcp6Event | undefined {
    const { exchange } = this;
    const { serverId, clientId } = message;
    if (exchange === undefined || exchange.sent === 0 || message.transaction !== exchange.transaction)
      return undefined;
    if (serverId === undefined || clientId === undefined || !sameBytes(clientId, this.task.duid))
      return undefined;
    if (message.type === "advertise")
      return exchange.type === "solicit" ? this.hearOffer(message, exchange, now_ms) : undefined;
    if (message.type !== "reply") return undefined;
    switch (exchange.type) {
      case "solicit":
        return message.rapidCommit === true ? this.bind(message, serverId, now_ms) : undefined;
      case "request":
        return this.bind(message, serverId, now_ms) ?? this.askAnew(message, now_ms);
      case "renew":
      case "rebind":
        if (lacksBinding(message)) this.ask("request", now_ms, serverId, exchange.address);
        return this.bind(message, serverId, now_ms);
      case "information-request":
        this.exchange = undefined;
        return { kind: "informed", information: informationOf(message) };
      case "release":
      case "decline":
        return this.endRelease(exchange, now_ms);
    }
  }

  // Answers are gathered until the first pause is over; then the first that comes is taken.
  private hearOffer(message: Dhcp6Message, exchange: Exchange, now_ms: number): Dhcp6Event | undefined {
    if (grantOf(message, this.task.id) === undefined) return refused(message);
    const { preference = 0 } = message;
    if (exchange.offer === undefined || preference > (exchange.offer.preference ?? 0))
      exchange.offer = message;
    if (preference === 255 || exchange.sent > 1) exchange.due_ms = now_ms;
    return undefined;
  }

  private bind(message: Dhcp6Message, serverId: Uint8Array, now_ms: number): Dhcp6Event | undefined {
    const grant = grantOf(message, this.task.id);
    if (grant === undefined) return undefined;
    this.exchange = undefined;
    this.binding = { grant, serverId: Uint8Array.from(serverId), since_ms: now_ms };
    return { kind: "bound", lease: leaseOf(message, grant) };
  }

  private askAnew(message: Dhcp6Message, now_ms: number): Dhcp6Event | undefined {
    this.begin(now_ms + schedules.solicit.initial_ms);
    return refused(message);
  }

  // What the clock alone brings: the end of a lifetime, or of an exchange.
  private passTime(now_ms: number): Dhcp6Event | undefined {
    if (this.binding !== undefined) {
      const { grant, serverId, since_ms } = this.binding;
      const age_ms = now_ms - since_ms;
      if (age_ms >= grant.end_ms) {
        this.binding = undefined;
        this.begin(now_ms);
        return { kind: "lost" };
      }
      const asked = this.exchange?.type;
      if (age_ms >= grant.rebind_ms && (asked === undefined || asked === "renew"))
        this.ask("rebind", now_ms, undefined, grant.address);
      else if (age_ms >= grant.renew_ms && asked === undefined)
        this.ask("renew", now_ms, serverId, grant.address);
    }
    const { exchange } = this;
    if (exchange === undefined || now_ms < exchange.due_ms) return undefined;
    const { offer, type, sent } = exchange;
    const schedule: Schedule = schedules[type];
    if (offer?.serverId !== undefined)
      this.ask("request", now_ms, offer.serverId, grantOf(offer, this.task.id)?.address);
    else if (sent >= (schedule.times ?? Infinity)) {
      if (type === "release" || type === "decline") return this.endRelease(exchange, now_ms);
      this.begin(now_ms);
    }
    return undefined;
  }

  private endRelease({ type }: Exchange, now_ms: number): Dhcp6Event {
    this.exchange = undefined;
    if (type === "decline") this.begin(now_ms);
    return { kind: "released" };
  }

  // The message that is due, or none.
  private speak(now_ms: number): Uint8Array | undefined {
    const { exchange, task } = this;
    if (exchange === undefined || now_ms < exchange.due_ms) return undefined;
    const { type } = exchange;
    exchange.began_ms ??= now_ms;
    exchange.sent++;
    exchange.pause_ms = nextPause(schedules[type], exchange.pause_ms, this.random(), type === "solicit");
    exchange.due_ms = now_ms + exchange.pause_ms;
    return packDhcp6(messageOf(exchange, task, now_ms));
  }

  private wake_ms(): number {
    const due_ms = this.exchange?.due_ms ?? Infinity;
    if (this.binding === undefined) return due_ms;
    const { grant, since_ms } = this.binding;
    const asked = this.exchange?.type;
    const next_ms = asked === undefined ? grant.renew_ms : asked === "renew" ? grant.rebind_ms : grant.end_ms;
    return Math.min(due_ms, since_ms + next_ms);
  }
}

function refused(message: Dhcp6Message): Dhcp6Event {
  return { kind: "refused", why: refusalOf(message) ?? "the server gives no address that can be used" };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
