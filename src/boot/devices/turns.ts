/** Work of which only so much is under way at a time. */

export class Turns {
  private readonly atOnce: number;
  private readonly patience_ms: number;
  private readonly allBegun: () => void;
  private underWay = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * @param atOnce how much may be under way
   * @param patience_ms how long it may take before it does not count any more: what never ends holds up nothing else
   * @param allBegun is called when the last one that waited has its turn
   */
  constructor(atOnce: number, patience_ms: number, allBegun: () => void = () => undefined) {
    this.atOnce = atOnce;
    this.patience_ms = patience_ms;
    this.allBegun = allBegun;
  }

  /** True while something waits for its turn. */
  get isQueueing(): boolean {
    return this.waiting.length > 0;
  }

  /** Does the work when its turn has come, in the order of the calls. Settles as the work does. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.underWay >= this.atOnce) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.underWay += 1;
    let timer: Timer | undefined;
    const pass = (): void => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      this.pass();
    };
    timer = setTimeout(pass, this.patience_ms);
    try {
      return await work();
    } finally {
      pass();
    }
  }

  // The place of what has ended is the next one's.
  private pass(): void {
    const next = this.waiting.shift();
    if (next === undefined) {
      this.underWay -= 1;
      return;
    }
    next();
    if (this.waiting.length === 0) this.allBegun();
  }
}
