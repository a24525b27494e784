/** Work that is done so many pieces at a time, the most urgent first. */

/** "now" is waited for by someone, "soon" may be, and "idle" only if nothing else brings what is waited for. */
export type Urgency = "now" | "soon" | "idle";

interface Waiting {
  readonly name: string;
  /** With false the work is not to be done any more. */
  readonly begin: (go: boolean) => void;
}

/** Names stand for pieces of work; each has one at a time. */
export class Queue {
  private free: number;
  private waiting: Waiting[] = [];
  private readonly urgency = new Map<string, Urgency>();
  private holds = false;

  constructor(places: number) {
    this.free = places;
  }

  /** Says how urgent work is; what is urgent once stays so. */
  announce(name: string, urgency: Urgency): void {
    const before = this.urgency.get(name) ?? "idle";
    this.urgency.set(name, ORDER.indexOf(urgency) < ORDER.indexOf(before) ? urgency : before);
    this.fill();
  }

  /** From now on, idle work is not begun. */
  hold(): void {
    this.holds = true;
  }

  /** Idle work is begun again. */
  goOn(): void {
    this.holds = false;
    this.fill();
  }

  /** Idle work that waits will never be done. */
  dropIdle(): void {
    const isIdle = ({ name }: Waiting): boolean => this.urgency.get(name) === "idle";
    const dropped = this.waiting.filter(isIdle);
    this.waiting = this.waiting.filter((one) => !isIdle(one));
    for (const { begin } of dropped) begin(false);
  }

  /** Waits for a place, and gives what `work` gives; "dropped" when it was not done. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T | "dropped"> {
    const turn = new Promise<boolean>((begin) => this.waiting.push({ name, begin }));
    this.fill();
    if (!(await turn)) return "dropped";
    try {
      return await work();
    } finally {
      this.free++;
      this.fill();
    }
  }

  private fill(): void {
    while (this.free > 0) {
      const next = this.takeNext();
      if (next === undefined) return;
      this.free--;
      next.begin(true);
    }
  }

  private takeNext(): Waiting | undefined {
    const urgencyOf = ({ name }: Waiting): Urgency => this.urgency.get(name) ?? "soon";
    const urgent = this.waiting.findIndex((one) => urgencyOf(one) === "now");
    const next =
      urgent >= 0 ? urgent : this.waiting.findIndex((one) => !this.holds || urgencyOf(one) !== "idle");
    return next < 0 ? undefined : this.waiting.splice(next, 1)[0];
  }
}

const ORDER: readonly Urgency[] = ["now", "soon", "idle"];
