/** What frames on a hub say, as far as tests ask: who sends from which IPv4 address, and DHCPv4's messages. */

/** The sender of an IPv4 packet or of ARP, as it names itself. */
export interface Sender {
  readonly mac: string;
  /** 0.0.0.0 of who has none yet. */
  readonly address: string;
}

export interface DhcpMessage {
  readonly type: (typeof DHCP_TYPES)[number];
  /** The client's card, whoever sends. */
  readonly mac: string;
  /** The address that it is about: given, asked for, or in use by the client. */
  readonly address: string;
  /** Option 61 in hexadecimal digits; undefined when the client sends none. */
  readonly clientId: string | undefined;
}

/** Who sent it; undefined for what is neither IPv4 nor ARP. */
export function senderOf(frame: Uint8Array): Sender | undefined {
  const { type, body } = payload(frame);
  if (type === IPV4 && body.length >= 20) return { mac: mac(frame, 6), address: address(body, 12) };
  if (type === ARP && body.length >= 28) return { mac: mac(body, 8), address: address(body, 14) };
  return undefined;
}

/** The DHCPv4 message in it (RFC 2131, 2132); undefined for other frames. */
export function dhcpMessageOf(frame: Uint8Array): DhcpMessage | undefined {
  const { type, body } = payload(frame);
  if (type !== IPV4 || body[9] !== UDP) return undefined;
  const udp = body.subarray(((body[0] ?? 0) & 15) * 4);
  if (!DHCP_PORTS.has(number16(udp, 0)) || !DHCP_PORTS.has(number16(udp, 2))) return undefined;
  const message = udp.subarray(8);
  const options = dhcpOptions(message);
  const name = DHCP_TYPES[(options.get(53)?.[0] ?? 0) - 1];
  if (name === undefined) return undefined;
  const [ciaddr, yiaddr] = [address(message, 12), address(message, 16)];
  const asked = options.get(50);
  const given = yiaddr !== NONE ? yiaddr : asked === undefined ? ciaddr : address(asked, 0);
  const id = options.get(61);
  return {
    type: name,
    mac: mac(message, 28),
    address: given,
    clientId: id === undefined ? undefined : Buffer.from(id).toString("hex"),
  };
}

const DHCP_TYPES = ["discover", "offer", "request", "decline", "ack", "nak", "release", "inform"] as const;
const [IPV4, ARP, VLAN] = [0x0800, 0x0806, 0x8100];
const UDP = 17;
const DHCP_PORTS: ReadonlySet<number> = new Set([67, 68]);
const NONE = "0.0.0.0";
/** BOOTP's fixed fields, and the magic cookie. */
const OPTIONS_AT = 240;

/** What the frame carries, behind the tags of VLANs. */
function payload(frame: Uint8Array): { readonly type: number; readonly body: Uint8Array } {
  let at = 12;
  while (number16(frame, at) === VLAN) at += 4;
  return { type: number16(frame, at), body: frame.subarray(at + 2) };
}

function dhcpOptions(message: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = OPTIONS_AT; at < message.length;) {
    const code = message[at] ?? 255;
    if (code === 255) break;
    if (code === 0) at++;
    else {
      const length = message[at + 1] ?? 0;
      options.set(code, message.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return options;
}

/** A number of two bytes; 0 behind the end. */
function number16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function mac(bytes: Uint8Array, at: number): string {
  return [...bytes.subarray(at, at + 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function address(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join(".");
}
