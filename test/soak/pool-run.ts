// How is one pool of the run loaded, and watched from its first call to its last?
import { isCaduceusError, type BridgeHandle, type Runtime } from '../../src/index.ts';
import { within } from '../bench/stage.ts';
import { accountOf, disagreements, imbalanceOf, refusedOf, type Account } from './accounts.ts';
import { Book } from './book.ts';
import { Client } from './client.ts';
import type { Dice } from './dice.ts';
import { pause } from './injector.ts';
import type { Targets } from './judge.ts';
import { LOADS } from './loads.ts';

/** Between two orders. */
const REPLACE_MS_MIN = 1_000;
const REPLACE_MS_MAX = 5_000;
/** For a rolling reload at full load: each worker finishes what it has. */
const ORDER_MS_MAX = 30_000;

export class PoolRun {
  readonly name: string;
  readonly bridge: BridgeHandle;
  readonly book: Book;
  readonly #dice: Dice;
  readonly #nowMs: () => number;
  #isUnbalanced = false;
  #checks = 0;
  readonly #orders = { done: 0, failed: 0 };

  constructor(
    name: string,
    given: {
      readonly runtime: Runtime;
      readonly targets: Targets;
      readonly dice: Dice;
      readonly nowMs: () => number;
    },
  ) {
    this.name = name;
    this.bridge = given.runtime.pool(name);
    this.book = new Book(name, given.targets);
    this.#dice = given.dice;
    this.#nowMs = given.nowMs;
  }

  /** How often the sum was looked at. */
  get checks(): number {
    return this.#checks;
  }

  client(name: string): Client {
    const { bridge, book } = this;
    return new Client(`${this.name}.${name}`, {
      ...{ bridge, book },
      dice: this.#dice.split(),
      nowMs: this.#nowMs,
    });
  }

  /**
   * Replace its workers by order, again and again: all of them, or their number, which in the end is what it was.
   * @param mayFail whether replacements may be killed while they start.
   */
  async replace(size: number, mayFail: boolean, isOver: () => boolean): Promise<void> {
    const dice = this.#dice.split();
    while (!isOver()) {
      await pause(dice.between(REPLACE_MS_MIN, REPLACE_MS_MAX));
      if (isOver()) break;
      const isReload = dice.percent(50);
      const order = isReload
        ? this.bridge.reload({ timeoutMs: ORDER_MS_MAX })
        : this.bridge.resize(size + dice.between(-1, 1));
      await this.#ordered(isReload ? 'reload' : 'resize', order, mayFail);
    }
    await this.#ordered('the last resize', this.bridge.resize(size), mayFail);
  }

  async #ordered(what: string, order: Promise<void>, mayFail: boolean): Promise<void> {
    try {
      await within(order, 2 * ORDER_MS_MAX, what);
      this.#orders.done += 1;
    } catch (error) {
      this.#orders.failed += 1;
      const isExpected = mayFail && isCaduceusError(error) && error.code === 'reload_failed';
      if (!isExpected) this.book.complain(`${what} failed: ${String(error)}`);
    }
  }

  /** Reloads and resizes. */
  get orders(): { readonly done: number; readonly failed: number } {
    return { ...this.#orders };
  }

  /** All kinds of load at once. */
  async load(isOver: () => boolean): Promise<void> {
    const running = Object.entries(LOADS).flatMap(([kind, { clients, load }]) =>
      Array.from({ length: clients }, (_, index) => load(this.client(`${kind}${index}`), isOver)),
    );
    await Promise.all(running);
  }

  /** The sum holds, whatever has just happened; the first time that it does not is told. */
  checkSum(when: string): void {
    this.#checks += 1;
    if (this.#isUnbalanced) return;
    const found = imbalanceOf(accountOf(this.bridge.statistics()));
    if (found === undefined) return;
    this.#isUnbalanced = true;
    this.book.complain(`the sum does not hold ${when}: ${found}`);
  }

  /** No call is open: the pool has counted what its callers have counted. */
  close(): Account {
    this.book.close();
    const statistics = this.bridge.statistics();
    const account = accountOf(statistics);
    for (const found of disagreements(account, refusedOf(statistics), this.book.tally.counts))
      this.book.complain(found);
    return account;
  }
}
