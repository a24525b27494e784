/** Names and addresses of servers, as they stand in front of a colon. */

/** A host in front of a colon, and all behind that; an address of IPv6 stands in brackets and loses them. */
export interface HostAndRest {
  /** Empty when nothing stands before the colon. */
  readonly host: string;
  readonly rest: string;
}

/** Cuts "host:rest" or "[2001:db8::1]:rest"; undefined when no host can stand there. */
export function cutHost(written: string): HostAndRest | undefined {
  const numeric = /^\[([0-9a-f:.]+(?:%[\w.-]+)?)\]:([^]*)$/i.exec(written);
  if (numeric !== null) return { host: numeric[1] ?? "", rest: numeric[2] ?? "" };
  const plain = /^((?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?)?):([^]*)$/i.exec(written);
  return plain === null ? undefined : { host: plain[1] ?? "", rest: plain[2] ?? "" };
}

/** True for the numbers of an IPv4 address: "10.0.2.2". */
export function isIpv4(host: string): boolean {
  const numbers = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  return numbers !== null && numbers.slice(1).every((number) => Number(number) <= 255);
}

/** True for what can only be an IPv6 address: a name has no colon. */
export function isIpv6(host: string): boolean {
  return /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?$/i.test(host);
}

/** The host as it is written before a colon: an IPv6 address in brackets. */
export function bracketed(host: string): string {
  return isIpv6(host) ? `[${host}]` : host;
}
