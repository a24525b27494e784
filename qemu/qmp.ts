/** A small client of QEMU's machine protocol (QEMU documentation, interop/qmp-spec). */

/** An event as QEMU sends it: `data` has what the event's name documents. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Waiter {
  readonly event: string;
  readonly where: (data: QmpEvent["data"]) => boolean;
  readonly resolve: (event: QmpEvent) => void;
  readonly reject: (error: Error) => void;
}

export class Qmp {
  /** Every event so far, oldest first. */
  readonly events: QmpEvent[] = [];
  private readonly write: (text: string) => void;
  private readonly pending = new Map<number, Pending>();
  private readonly waiters = new Set<Waiter>();
  private readonly greeting = Promise.withResolvers<void>();
  private readonly ready: Promise<unknown>;
  private buffer = "";
  private nextId = 1;
  private closed = false;

  /** `write` sends text to QEMU; what comes back goes into feed(). */
  constructor(write: (text: string) => void) {
    this.write = write;
    this.ready = this.greeting.promise.then(() => this.command("qmp_capabilities"));
    // A machine that ends before it greets is reported by the console; nobody need wait here.
    this.ready.catch(() => undefined);
  }

  /**
   * Sends a command and returns its result. Throws Error with QEMU's description when it refuses or has
   * ended.
   */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    await this.ready;
    return this.command(command, args);
  }

  /** A command of the human monitor; returns what it prints. */
  async monitor(line: string): Promise<string> {
    return String(await this.execute("human-monitor-command", { "command-line": line }));
  }

  /** Presses the power button. */
  async systemPowerdown(): Promise<void> {
    await this.execute("system_powerdown");
  }

  /** QEMU's run state: "running", "paused", "shutdown" and others. */
  async queryStatus(): Promise<string> {
    const answer = (await this.execute("query-status")) as { readonly status?: unknown };
    return String(answer.status);
  }

  /** Ends QEMU at once, whatever the guest does. */
  async quit(): Promise<void> {
    await this.execute("quit");
  }

  /**
   * The next event of this name for which `where` holds. Throws Error after `timeout_ms` or when QEMU ends.
   */
  waitFor(
    event: string,
    timeout_ms: number,
    where: (data: QmpEvent["data"]) => boolean = () => true,
  ): Promise<QmpEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.reject(new Error(`QEMU sent no ${event} within ${timeout_ms} ms.`)),
        timeout_ms,
      );
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          how(value);
        };
      };
      const waiter: Waiter = { event, where, resolve: settle(resolve), reject: settle(reject) };
      if (this.closed) waiter.reject(new Error(`QEMU ended before it sent ${event}.`));
      else this.waiters.add(waiter);
    });
  }

  /** Takes what QEMU wrote: one JSON object a line. Called by the machine. */
  feed(bytes: Uint8Array): void {
    const lines = (this.buffer + Buffer.from(bytes).toString("utf8")).split("\n");
    this.buffer = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") this.take(JSON.parse(line) as Record<string, unknown>);
  }

  /** The connection has ended; whoever waits is told. Called by the machine. */
  close(): void {
    this.closed = true;
    this.greeting.reject(new Error("QEMU ended before it greeted."));
    for (const { reject } of this.pending.values()) reject(new Error("QEMU ended before it answered."));
    this.pending.clear();
    for (const waiter of this.waiters) waiter.reject(new Error(`QEMU ended before it sent ${waiter.event}.`));
  }

  private command(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.closed) return Promise.reject(new Error(`QEMU has ended; '${command}' came too late.`));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  private take(message: Readonly<Record<string, unknown>>): void {
    if ("QMP" in message) return this.greeting.resolve();
    if (typeof message["event"] === "string") {
      const event = { event: message["event"], data: (message["data"] ?? {}) as QmpEvent["data"] };
      this.events.push(event);
      for (const waiter of this.waiters)
        if (waiter.event === event.event && waiter.where(event.data)) waiter.resolve(event);
      return;
    }
    const id = Number(message["id"]);
    const pending = this.pending.get(id);
    this.pending.delete(id);
    const error = message["error"] as { readonly desc?: unknown } | undefined;
    if (error === undefined) pending?.resolve(message["return"]);
    else pending?.reject(new Error(`QEMU refused: ${String(error.desc)}`));
  }
}
