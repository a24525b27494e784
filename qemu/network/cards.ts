/** QEMU's arguments for the network cards of a guest. */

export interface Card {
  /** What its cable goes to. */
  readonly link: UserNetwork | Peers;
  /** "52:54:00:12:34:56" for the first card, and one more for each of the next, when left out. */
  readonly mac?: string;
  /** QEMU's name of the device; "virtio-net-pci" when left out. */
  readonly model?: string;
}

/** QEMU's own network in the card's process: a DHCP server (10.0.2.2, the guest is 10.0.2.15), nothing beyond it. */
export interface UserNetwork {
  readonly kind: "user";
}

/** A network between guests; `path` is the socket of a hub (hub.ts). */
export interface Peers {
  readonly kind: "hub";
  readonly path: string;
}

/** Arguments that give a machine these cards, in their order. QMP's set_link knows them as "net0", "net1" and so on. */
export function cardArguments(cards: readonly Card[]): string[] {
  return cards.flatMap((card, index) => [
    ...["-netdev", `${backend(card.link)},id=net${index}`],
    // No card is booted from.
    ...[
      "-device",
      `${card.model ?? "virtio-net-pci"},netdev=net${index},mac=${card.mac ?? macOf(index)},romfile=`,
    ],
  ]);
}

/** The address of the card at this place, unless it is given one: QEMU's own count. */
export function macOf(index: number): string {
  return `52:54:00:12:34:${(0x56 + index).toString(16)}`;
}

/** A port of 127.0.0.1 that nobody listens at just now. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

function backend(link: UserNetwork | Peers): string {
  return link.kind === "hub" ? `stream,server=off,addr.type=unix,addr.path=${link.path}` : "user,restrict=on";
}
