// Who are the children of the conformance cases? The servers of OTP's suite, as actors: each does what its test says.
import { fromCallback, setup, type AnyActorLogic } from 'xstate';

import type { Clock } from '../../actors/ground/clock.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { exit } from '../../actors/lifecycle/exit.ts';
import type { Started, StartFunction } from '../../actors/lifecycle/start-function.ts';

export const DIED = new Error('died');

/** What a child of these tests can be told. */
export type Told =
  | { readonly type: 'stop' }
  | { readonly type: 'die' }
  | { readonly type: 'exit'; readonly reason: ExitReason }
  | { readonly type: 'sleep' };

/** Traps exits and stops as it is told to. `stop`: exits normally; `die`: exits abnormally; `exit`: with that reason; `sleep`: answers nothing any more, no shutdown either. */
export const std: AnyActorLogic = exitingAs({ type: 'shutdown' });

/** Told to shut down, it exits with this reason instead. */
export function exitingAs(reason: ExitReason): AnyActorLogic {
  return setup({
    types: {
      events: {} as Told | { readonly type: 'caduceus.shutdown' },
    },
  }).createMachine({
    initial: 'up',
    states: {
      up: {
        on: {
          stop: 'ended',
          die: {
            actions: () => {
              throw DIED;
            },
          },
          exit: 'ended',
          sleep: 'asleep',
          'caduceus.shutdown': 'ended',
        },
      },
      // Handles the event on purpose, so that it is asked and not simply stopped; and does nothing.
      asleep: { on: { 'caduceus.shutdown': { actions: () => undefined } } },
      ended: { type: 'final', output: ({ event }) => exit(reasonAfter(event, reason)) },
    },
    output: ({ event }) => event.output,
  });
}

function reasonAfter(event: unknown, shutdown: ExitReason): ExitReason {
  const last = event as { readonly type: string; readonly reason?: ExitReason };
  if (last.type === 'exit' && last.reason !== undefined) return last.reason;
  return last.type === 'caduceus.shutdown' ? shutdown : { type: 'normal' };
}

/** Does not trap exits: told to shut down it is stopped at once. */
export const plain: AnyActorLogic = fromCallback(() => undefined);

/** Takes so many ms to end after it was told to shut down. */
export function slow(ms: number): AnyActorLogic {
  return setup({
    types: { events: {} as Told | { readonly type: 'caduceus.shutdown' } },
  }).createMachine({
    initial: 'up',
    states: {
      up: { on: { 'caduceus.shutdown': 'ending', stop: 'ended' } },
      ending: { after: { [ms]: 'shutdown' } },
      shutdown: { type: 'final', output: exit('shutdown') },
      ended: { type: 'final', output: exit('normal') },
    },
    output: ({ event }) => event.output,
  });
}

/** Its first start is good, each later one fails. */
export function failAgain(logic: AnyActorLogic = std): StartFunction {
  let starts = 0;
  return () => {
    starts += 1;
    if (starts > 1) throw new Error('cannot start again');
    return { logic };
  };
}

/** A start that waits until the test says what comes of it. */
export interface Script {
  readonly start: StartFunction;
  /** Starts that have begun and are not answered. */
  readonly waiting: number;
  /** How often a start has begun. */
  readonly begun: number;
  answer(outcome: 'ok' | 'ignore' | Error): void;
}

export function scripted(logic: AnyActorLogic = std): Script {
  const waits: ((outcome: 'ok' | 'ignore' | Error) => void)[] = [];
  let begun = 0;
  const start: StartFunction = (_input, { signal }) => {
    begun += 1;
    return new Promise<Started | 'ignore'>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      waits.push((outcome) => {
        if (outcome === 'ok') resolve({ logic });
        else if (outcome === 'ignore') resolve('ignore');
        else reject(outcome);
      });
    });
  };
  return {
    start,
    get waiting() {
      return waits.length;
    },
    get begun() {
      return begun;
    },
    answer: (outcome) => {
      const wait = waits.shift();
      if (wait === undefined) throw new Error('no start waits');
      wait(outcome);
    },
  };
}

/** A gate that starts pass through only while it is open. */
export interface Gate {
  starts: 'pass' | 'fail';
}

/** Crashes on request; its start fails while the gate says so. */
export function gated(gate: Gate, logic: AnyActorLogic = std): StartFunction {
  return () => {
    if (gate.starts === 'fail') throw new Error('the gate is shut');
    return { logic };
  };
}

/** The same, but a start that fails takes its time and hears of nothing meanwhile: so many restarts are never too many, and the loop goes on for ever. */
export function gatedSlowly(gate: Gate, clock: Clock, failsAfterMs: number): StartFunction {
  return () => {
    if (gate.starts === 'pass') return { logic: std };
    return new Promise((_, reject) => {
      clock.setTimeout(() => {
        reject(new Error('the gate is shut'));
      }, failsAfterMs);
    });
  };
}
