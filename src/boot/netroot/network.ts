/** What roots elsewhere want of the network; boot/network/network.ts has it. */

import type { NetworkState } from "../../network/types.ts";

export interface NetworkAccess {
  /** Begins to bring the interfaces up; further calls do nothing. `why` fits behind "for". */
  start(why: string): void;
  /** Waits until what was asked for is configured. @throws UserError */
  up(): Promise<NetworkState>;
  /** What is configured by now: what an address need not wait for may come a moment later. */
  state(): NetworkState;
  /** Resolves at the next change of state(). */
  changed(): Promise<void>;
}
