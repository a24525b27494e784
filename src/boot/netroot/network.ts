/** What roots elsewhere want of the network: src/boot/network/network.ts gives it. */

export interface NetworkAccess {
  /** Begins to bring the interfaces up; further calls do nothing. `why` fits behind "for". */
  start(why: string): void;
  /** Waits until what was asked for is configured. @throws UserError */
  up(): Promise<NetworkFacts>;
}

export interface NetworkFacts {
  readonly interfaces: readonly InterfaceFacts[];
  readonly nameservers: readonly string[];
}

export interface InterfaceFacts {
  readonly name: string;
  /** "10.0.2.15/24" */
  readonly addresses: readonly string[];
  readonly lease?: LeaseFacts | undefined;
}

/** What a DHCP server said that leads to a root. */
export interface LeaseFacts {
  /** Option 17. */
  readonly rootPath?: string | undefined;
  /** siaddr */
  readonly nextServer?: string | undefined;
  /** Itself. */
  readonly server?: string | undefined;
}
