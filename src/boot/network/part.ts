/** One way by which an interface gets addresses, as the interface and the way see each other. */

import type { Link } from "../../../syscalls/rtnetlink/index.ts";
import type { UserError } from "../../lib/errors.ts";
import type { InterfaceWish, Lease } from "../../network/types.ts";
import type { OnLink } from "../../network/routes.ts";
import type { Session } from "./session.ts";

/** How far it is. What is overdue may still come: the error says what a person who waits for it is told. */
export type Progress = "under way" | "done" | UserError;

export type Report = (progress: Progress) => void;

/** Runs for as long as the network is in use; what it throws is its last report. */
export type Part = (host: PartHost, report: Report) => Promise<void>;

/** The interface that the addresses are for. */
export interface PartHost {
  readonly session: Session;
  /** Its index. */
  readonly link: number;
  readonly name: string;
  readonly wish: InterfaceWish;
  /** Of the default route; undefined for the interface whose routes count most. */
  readonly metric: number | undefined;
  /** True while nobody need know that it is waited for, as another interface does in its place. */
  isSpare(): boolean;
  /** The link as it is now; undefined when it is gone. */
  look(): Link | undefined;
  /** The addresses that were set so far, of all its ways. */
  readonly own: readonly OnLink[];
  /** An address that is set from now on, or no more. */
  keep(address: OnLink): void;
  drop(address: string): void;
  /** What a server gave, in place of what it gave before; undefined when that has run out. */
  setLease(family: 4 | 6, lease: Lease | undefined): void;
  /** Called with true when leases are to be given back. Bounded, and never throws. */
  atEnd(end: (release: boolean) => Promise<void>): void;
}
