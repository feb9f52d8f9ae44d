// How does a test hold one child of any logic in its hand? It stands where the supervisor would, with virtual time, and notes what it is told.
import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import { formatExitReason } from '../../../actors/ground/exit-reason.ts';
import { actorStart } from '../../../actors/lifecycle/actor-child.ts';
import type { Child, ChildFact, Shutdown } from '../../../actors/lifecycle/child.ts';
import type { AnyStart } from '../../../actors/lifecycle/inside.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** Turns of the microtask queue after which a chain of promises is done: longer than any in the code. */
const MICROTASKS = 24;

export interface HeldOptions {
  readonly input?: unknown;
  readonly startTimeoutMs?: number;
  readonly keepsInput?: boolean;
}

/** A fact in short: what, of which epoch, and why. */
function inShort(fact: ChildFact): string {
  const { type, epoch } = fact;
  const what = `${type.slice('child.'.length)} ${epoch}`;
  if (type === 'child.crashed') return `${what}: ${formatExitReason(fact.report.reason)}`;
  return type === 'child.stopped' ? `${what}: ${formatExitReason(fact.reason)}` : what;
}

interface HeldChild {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  readonly log: string[];
  readonly facts: readonly ChildFact[];
  /** Everything that was told on the bus, in order. */
  readonly told: readonly (readonly [name: string, event: object])[];
  readonly late: readonly BusEvents['child.late_error'][];
  readonly dead: readonly BusEvents['letter.dead'][];
  readonly child: Child;
  /** Let promises and polls run until nothing waits but time. */
  readonly settle: () => Promise<void>;
  readonly stop: (shutdown?: Shutdown) => void;
  readonly advance: (ms: number) => Promise<void>;
}

/** Starts it as a supervisor would. `log` takes what it tells, and whatever the test adds. */
export function hold(start: AnyStart, options: HeldOptions = {}): HeldChild {
  const clock = new VirtualClock();
  const bus = new Bus();
  const log: string[] = [];
  const facts: ChildFact[] = [];
  const late: BusEvents['child.late_error'][] = [];
  const dead: BusEvents['letter.dead'][] = [];
  const told: (readonly [name: string, event: object])[] = [];
  bus.on('*', (event, name) => told.push([name, event]));
  bus.on('child.late_error', (event) => late.push(event));
  bus.on('letter.dead', (event) => dead.push(event));
  const { input, startTimeoutMs = 60_000, keepsInput = true } = options;
  const child: Child = actorStart(
    { start, input, startTimeoutMs, keepsInput },
    { clock, bus },
  )({
    ...{ id: 'a', path: 'sup/a', epoch: 1 },
    listener: (fact) => {
      facts.push(fact);
      log.push(inShort(fact));
    },
  });
  const settle = async (): Promise<void> => {
    do {
      for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
    } while (clock.poll());
  };
  return {
    ...{ clock, bus, log, facts, told, late, dead, child, settle },
    stop: (shutdown = 5_000) => child.stop(shutdown, { type: 'shutdown' }),
    advance: async (ms) => {
      await settle();
      clock.advance(ms);
      await settle();
    },
  };
}

/** A promise in the test's hand. */
export function later<Value = void>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
