// How does one test a tree without waiting? Its system gets a clock that moves when the test says so.
import assert from 'node:assert/strict';
import { createMachine } from 'xstate';

import { cast, startSupervisor, System, type Clock } from '../../../src/otp.ts';

/** Time that stands still until it is told to pass. */
class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<object, { readonly atMs: number; readonly fn: () => void }>();

  nowMs = () => this.#nowMs;
  wallMs = () => this.#nowMs;
  afterPoll = (fn: () => void) => void setImmediate(fn);
  setTimeout = (fn: () => void, timeoutMs: number) => {
    const id = {};
    this.#timers.set(id, { atMs: this.#nowMs + timeoutMs, fn });
    return id;
  };
  clearTimeout = (id: unknown) => void this.#timers.delete(id as object);

  /** Let time pass, timer by timer, and let the world settle after each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs);
      const [next] = due.sort(([, one], [, other]) => one.atMs - other.atMs);
      if (next === undefined) break;
      const [id, { atMs, fn }] = next;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      fn();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Promises and polls have had their turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const part = createMachine({
  on: {
    break: {
      actions: () => {
        throw new Error('broken');
      },
    },
  },
});

const clock = new ManualClock();
const system = new System({ clock, random: { next: () => 0.5 } }); // half of every back-off
const top = await startSupervisor(
  {
    ...{ maxRestarts: 1, periodMs: 60_000, backoff: { minMs: 1_000, maxMs: 1_000 } },
    children: [{ id: 'part', start: part, name: 'part' }],
  },
  { system },
);
const stateOf = () => top.statistics().children[0]?.state;

cast('part', { type: 'break' }, { system });
await clock.advance(499);
assert.equal(stateOf(), 'restarting');
await clock.advance(1);
assert.equal(stateOf(), 'ready');

// A minute later the first restart does not count any more.
await clock.advance(60_000);
cast('part', { type: 'break' }, { system });
await clock.advance(1_000);
assert.equal(stateOf(), 'ready');
console.log(`${clock.nowMs()} ms of a tree's life were tested`);
await top.stop();
