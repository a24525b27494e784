/** Work that is done so many pieces at a time, the most urgent first. */

/** "now" is waited for by someone, "soon" may be. */
export type Urgency = "now" | "soon";

interface Waiting {
  readonly name: string;
  readonly begin: () => void;
}

/** Names stand for pieces of work; each has one at a time. */
export class Queue {
  private free: number;
  private readonly waiting: Waiting[] = [];
  private readonly urgent = new Set<string>();

  constructor(places: number) {
    this.free = places;
  }

  /** Says how urgent work is that is to come; what is urgent once stays so. */
  announce(name: string, urgency: Urgency): void {
    if (urgency === "now") this.urgent.add(name);
  }

  /** Waits for a place, and gives what `work` gives. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((begin) => this.waiting.push({ name, begin }));
    try {
      return await work();
    } finally {
      const next = this.takeNext();
      if (next === undefined) this.free++;
      else next.begin();
    }
  }

  private takeNext(): Waiting | undefined {
    const first = this.waiting.findIndex(({ name }) => this.urgent.has(name));
    return this.waiting.splice(Math.max(first, 0), 1)[0];
  }
}
