// How is one pool of the run loaded, and watched from its first call to its last?
import type { BridgeHandle, Runtime } from '../../src/index.ts';
import { accountOf, disagreements, imbalanceOf, refusedOf, type Account } from './accounts.ts';
import { Book } from './book.ts';
import { Client } from './client.ts';
import type { Dice } from './dice.ts';
import type { Targets } from './judge.ts';
import { LOADS } from './loads.ts';

export class PoolRun {
  readonly name: string;
  readonly bridge: BridgeHandle;
  readonly book: Book;
  readonly #dice: Dice;
  readonly #nowMs: () => number;
  #isUnbalanced = false;
  #checks = 0;

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
