// Who is served from inside whom? Nobody: thousands of calls that fail at once, each from inside the one before, would not fit on the stack.

/** One at a time. What is asked for from inside is done after it, for all. */
export class Serving {
  readonly #serveAll: () => void;
  #state: 'idle' | 'serving' | 'owed' = 'idle';

  constructor(serveAll: () => void) {
    this.#serveAll = serveAll;
  }

  run(serve: () => void): void {
    if (this.#state !== 'idle') {
      this.#state = 'owed';
      return;
    }
    this.#state = 'serving';
    try {
      serve();
      while (this.#isOwed()) this.#serveAll();
    } finally {
      this.#state = 'idle';
    }
  }

  #isOwed(): boolean {
    const isOwed = this.#state === 'owed';
    this.#state = 'serving';
    return isOwed;
  }
}
