/** Reaps the orphans that become children of process 1, and never a child that the runtime waits for. */

import {
  type ChildStatus,
  SysError,
  type Syscalls,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  isErrno,
} from "../../../syscalls/index.ts";

/** A child that Bun.spawn() started: the runtime takes its exit status, and nobody else may. */
export interface OwnChild {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/**
 * Who has ended is only ever looked at (WNOWAIT, waitid(2)) before it is decided whose it is: an own child is left
 * for the runtime, and until that has taken it nothing behind it in the line is seen.
 */
export class Reaper {
  private readonly sys: Syscalls;
  private readonly own = new Map<number, Promise<void>>();
  private running = false;

  constructor(sys: Syscalls) {
    this.sys = sys;
  }

  /** Leaves this child to the runtime. From now on orphans are reaped as they end, until there is no child. */
  watch({ pid, exited }: OwnChild): void {
    const forget = (): void => void this.own.delete(pid);
    this.own.set(pid, exited.then(forget, forget));
    if (!this.running) void this.run();
  }

  /** Takes the exit status of the orphans that have ended by now. */
  reap(): void {
    for (let ended = this.look(); ended !== undefined && !this.own.has(ended.pid); ended = this.look())
      this.take(ended.pid);
  }

  /**
   * Resolves when one more child has ended, and at once when one waits to be reaped; never when there is no child.
   * @throws SysError when the wait can't be had
   */
  async nextEnd(): Promise<void> {
    const ended = await this.peek();
    // No event can come then.
    if (ended === undefined) return new Promise(() => undefined);
    await this.own.get(ended.pid);
  }

  // A look that is left under way takes nothing away.
  private async run(): Promise<void> {
    this.running = true;
    try {
      for (let ended = await this.peek(); ended !== undefined; ended = await this.peek()) {
        const own = this.own.get(ended.pid);
        if (own === undefined) this.take(ended.pid);
        else await own;
      }
    } catch (error) {
      // No thread or no memory for the wait: the orphans stay until the next child is watched, or the hand-over.
      if (!(error instanceof SysError)) throw error;
    } finally {
      this.running = false;
    }
  }

  private async peek(): Promise<ChildStatus | undefined> {
    try {
      return await this.sys.slow.peekChild();
    } catch (error) {
      return nobody(error);
    }
  }

  private look(): ChildStatus | undefined {
    try {
      return this.sys.waitid(0, WEXITED | WNOHANG | WNOWAIT);
    } catch (error) {
      return nobody(error);
    }
  }

  private take(pid: number): void {
    try {
      this.sys.waitid(pid, WEXITED | WNOHANG);
    } catch (error) {
      nobody(error);
    }
  }
}

function nobody(error: unknown): undefined {
  if (!isErrno(error, "ECHILD")) throw error;
}
