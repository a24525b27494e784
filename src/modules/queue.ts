/** Work that is done so many pieces at a time, the most urgent first. */

/** "now" is waited for by someone, "soon" may be, "later" is needed by nobody here and is done when nothing else is. */
export type Urgency = "now" | "soon" | "later";

const RANK: Readonly<Record<Urgency, number>> = { now: 0, soon: 1, later: 2 };

interface Waiting {
  readonly name: string;
  readonly begin: (mayRun: boolean) => void;
}

/** Names stand for pieces of work; each has one at a time. */
export class Queue {
  private free: number;
  private waiting: Waiting[] = [];
  private readonly urgency = new Map<string, Urgency>();
  /** What was announced and has not ended. */
  private readonly open = new Set<string>();

  constructor(places: number) {
    this.free = places;
  }

  /** Announces work that is to come, or makes work that waits at least this urgent. */
  announce(name: string, urgency: Urgency): void {
    this.open.add(name);
    if (RANK[urgency] < RANK[this.urgencyOf(name)]) this.urgency.set(name, urgency);
    this.beginNext();
  }

  /** Takes back what was announced, or says that it has ended. */
  end(name: string): void {
    this.open.delete(name);
    this.beginNext();
  }

  /** What `work` gives; undefined when it was dropped before it began. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const turn = Promise.withResolvers<boolean>();
    this.waiting.push({ name, begin: turn.resolve });
    this.beginNext();
    if (!(await turn.promise)) return undefined;
    try {
      return await work();
    } finally {
      this.free++;
      this.beginNext();
    }
  }

  /** Drops what has not begun and is needed by nobody here. */
  dropLater(): void {
    const dropped = this.waiting.filter(({ name }) => this.isLater(name));
    this.waiting = this.waiting.filter(({ name }) => !this.isLater(name));
    for (const { begin } of dropped) begin(false);
  }

  private beginNext(): void {
    while (this.free > 0) {
      const next = this.takeNext();
      if (next === undefined) return;
      this.free--;
      next.begin(true);
    }
  }

  private takeNext(): Waiting | undefined {
    const rank = ({ name }: Waiting): number => RANK[this.urgencyOf(name)];
    const best = Math.min(...this.waiting.map(rank));
    if (best === RANK.later && [...this.open].some((name) => !this.isLater(name))) return undefined;
    const at = this.waiting.findIndex((one) => rank(one) === best);
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  private isLater(name: string): boolean {
    return this.urgencyOf(name) === "later";
  }

  private urgencyOf(name: string): Urgency {
    return this.urgency.get(name) ?? "later";
  }
}
