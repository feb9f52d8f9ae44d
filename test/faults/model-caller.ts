// How does a plan's user call a pool? Calls, streams and checkouts, written down as their callers know them.
import type { CallStream } from '../../src/calls/call-stream.ts';
import type { CheckedOutWorker } from '../../src/checked-out-worker.ts';
import {
  NO_SESSION,
  type CallOp,
  type Pace,
  type Patience,
  type Plan,
  type Step,
} from './model-plan.ts';
import { CHANGES, type Target } from './model-target.ts';
import type { Failure, Hold, Made, Told } from './model-run.ts';

export type StepOf<Type extends Step['type']> = Extract<Step, { readonly type: Type }>;

interface Held {
  readonly hold: Hold;
  readonly worker: CheckedOutWorker;
  /** Its calls. */
  readonly calls: Promise<unknown>[];
}

/** What of a call its step does not say. */
type Given = Pick<Made, 'kind' | 'op'> &
  Partial<Pick<Made, 'session' | 'checkout' | 'timeoutMs' | 'checkoutTimeoutMs' | 'maxRetries'>>;

export class Caller {
  readonly calls: Made[] = [];
  readonly holds: Hold[] = [];
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #told: Told;
  readonly #controllers = new Map<number, AbortController>();
  readonly #held: Held[] = [];
  /** `over`: whoever gets to hold a worker now gives it back at once. */
  #holding: 'wanted' | 'over' = 'wanted';
  /** By session: how often it was ended, and the last thing that was made in it. */
  readonly #generations = new Map<string, number>();
  readonly #things = new Map<string, string>();

  constructor(target: Target, plan: Plan, told: Told) {
    this.#target = target;
    this.#plan = plan;
    this.#told = told;
  }

  /** Whoever holds a worker gives it back. */
  holdNoMore(): void {
    this.#holding = 'over';
    for (const held of this.#held.splice(0)) this.#giveBack(held);
  }

  /** The session has begun anew, and empty, with the call of this number. */
  sessionEnded(session: string, number: number): void {
    this.#generations.set(session, (this.#generations.get(session) ?? 0) + 1);
    const later = this.calls.filter((made) => made.session === session && made.number >= number);
    for (const made of later) made.generation += 1;
    if (!later.some(({ op }) => op === 'make')) this.#things.delete(session);
  }

  batch({ count, pace }: StepOf<'batch'>): void {
    for (let n = 0; n < count; n += 1)
      this.#send({ kind: 'call', op: 'embed', session: undefined }, pace);
  }

  /** A call that must be answered, now that all is well. */
  probe(op: CallOp, session: string | undefined): Made {
    return this.#send({ kind: 'probe', op, session }, 'quick');
  }

  ms(patience: Patience | 'none'): number {
    const { ampleMs, tightMs } = this.#target.tempo;
    if (patience === 'none') return 0;
    return patience === 'ample' ? ampleMs : tightMs;
  }

  call({ op, session, pace, time, checkout, maxRetries }: StepOf<'call'>): void {
    // It would go on until its time is over.
    const timeoutMs = op === 'stubborn' ? this.ms('tight') : this.ms(time);
    const given = { timeoutMs, checkoutTimeoutMs: this.ms(checkout) };
    const wanted = maxRetries === undefined ? {} : { maxRetries };
    this.#send({ kind: 'call', op, session: nameOf(session), ...given, ...wanted }, pace);
  }

  #send(given: Given, pace: Pace): Made {
    const made = this.#make(given);
    const { op, session, timeoutMs, checkoutTimeoutMs, maxRetries } = made;
    const options = { sessionId: session, timeoutMs, checkoutTimeoutMs, maxRetries };
    const signal = this.#signalOf(made);
    this.#settles(
      made,
      this.#target.bridge.call(op, this.#argsOf(made, pace), { ...options, signal }),
    );
    return made;
  }

  stream({ session, upTo, read }: StepOf<'stream'>): void {
    const made = this.#make({ kind: 'stream', op: 'count', session: nameOf(session) });
    const { timeoutMs, checkoutTimeoutMs, maxRetries } = made;
    const stream = this.#target.bridge.stream(
      'count',
      { number: made.number, upTo },
      {
        ...{ sessionId: made.session, timeoutMs, checkoutTimeoutMs, maxRetries },
        signal: this.#signalOf(made),
      },
    );
    this.#settles(made, readStream(stream, read, made, this.#target));
  }

  checkOut({ session, time }: StepOf<'checkout'>): void {
    const sessionId = nameOf(session);
    const { ampleMs } = this.#target.tempo;
    const timeoutMs = this.ms(time);
    const made = this.#make({
      ...{ kind: 'checkout', op: 'checkout', session: sessionId },
      ...{ timeoutMs: Infinity, checkoutTimeoutMs: timeoutMs },
    });
    const { bridge, stamp } = this.#target;
    const leaseMs = this.#plan.kind === 'calm' ? 10 * ampleMs : ampleMs / 4;
    const signal = this.#signalOf(made);
    const held = bridge.checkout({ sessionId, timeoutMs, leaseMs, signal }).then((worker) => {
      const { workerId, epoch } = worker;
      const hold = { made, workerId, epoch, heldAt: stamp(), endedAt: Infinity };
      this.holds.push(hold);
      const given: Held = { hold, worker, calls: [] };
      if (this.#holding === 'wanted') this.#held.push(given);
      else this.#giveBack(given);
    });
    // Held, it goes on until it is given back.
    held.catch((error: unknown) =>
      this.#settled(made, { type: 'failed', error: error as Failure }),
    );
  }

  heldCall({ checkout, op, pace }: StepOf<'held'>): void {
    const held = this.#held.at(-1 - checkout);
    if (held === undefined) return;
    const { number, session } = held.hold.made;
    const timeoutMs = op === 'stubborn' ? this.ms('tight') : this.ms('ample');
    const made = this.#make({
      ...{ kind: 'held', op, session, checkout: number, timeoutMs, maxRetries: 0 },
    });
    const signal = this.#signalOf(made);
    const call = held.worker.call(op, this.#argsOf(made, pace), { timeoutMs, signal });
    held.calls.push(call);
    this.#settles(made, call);
  }

  checkIn({ checkout, times }: StepOf<'check_in'>): void {
    const held = this.#held.at(-1 - checkout);
    if (held === undefined) return;
    this.#held.splice(this.#held.indexOf(held), 1);
    this.#giveBack(held);
    if (times === 1) return;
    held.worker.checkIn().then(
      () => this.#told.shortages.push('a worker was given back twice'),
      (error: unknown) => {
        this.#told.seen.add('given back twice');
        const { code, message } = error as Failure;
        if (code !== 'checkout_ended') this.#told.shortages.push(`the second check-in: ${message}`);
      },
    );
  }

  #giveBack(held: Held): void {
    const isCalm = this.#plan.kind === 'calm';
    // What still runs would be ended by it.
    if (isCalm) void Promise.allSettled(held.calls).then(() => this.#giveBackNow(held));
    else this.#giveBackNow(held);
  }

  #giveBackNow({ worker, hold }: Held): void {
    hold.endedAt = this.#target.stamp();
    worker.checkIn().then(
      () => this.#settled(hold.made, { type: 'completed', value: undefined }),
      (error: unknown) => {
        this.#settled(hold.made, { type: 'failed', error: error as Failure });
      },
    );
  }

  abort(made: Made | undefined): void {
    if (made?.fate.type !== 'pending') return;
    made.abortedAtMs ??= this.#target.nowMs();
    this.#controllers.get(made.number)?.abort();
  }

  #make(given: Given): Made {
    const { bridge, nowMs, stamp, tempo } = this.#target;
    const number = this.calls.length;
    const scope = given.session ?? '';
    if (given.op === 'make') this.#things.set(scope, `thing ${number}`);
    const made: Made = {
      ...{ number, id: this.#things.get(scope) ?? 'nothing', session: given.session },
      generation: this.#generations.get(scope) ?? 0,
      ...{ timeoutMs: tempo.ampleMs, checkoutTimeoutMs: tempo.ampleMs, checkout: undefined },
      maxRetries: this.#plan.options.maxRetries,
      ...given,
      ...{ madeAtMs: nowMs(), madeAt: stamp(), queuedBefore: bridge.statistics().gauges.queued },
      ...{ fate: { type: 'pending' }, settledAtMs: Infinity, settledAt: Infinity },
      ...{ abortedAtMs: undefined, items: [] },
    };
    this.calls.push(made);
    return made;
  }

  #argsOf({ number, id, op }: Made, pace: Pace): Readonly<Record<string, unknown>> {
    const { slowMs, quickMs } = this.#target.tempo;
    const ms = pace === 'slow' ? slowMs : quickMs;
    return { number, ms, ...(CHANGES.has(op) && op !== 'setup' && { id }) };
  }

  #signalOf({ number }: Made): AbortSignal {
    const controller = new AbortController();
    this.#controllers.set(number, controller);
    return controller.signal;
  }

  #settles(made: Made, promise: Promise<unknown>): void {
    promise.then(
      (value) => {
        const isLeft = made.kind === 'stream' && value === 'left';
        this.#settled(made, isLeft ? { type: 'left' } : { type: 'completed', value });
      },
      (error: unknown) => this.#settled(made, { type: 'failed', error: error as Failure }),
    );
  }

  #settled(made: Made, fate: Made['fate']): void {
    made.fate = fate;
    made.settledAtMs = this.#target.nowMs();
    made.settledAt = this.#target.stamp();
    const how = fate.type === 'failed' ? String(fate.error.code) : fate.type;
    this.#told.seen.add(`${made.kind} ${how}`);
  }
}

export function nameOf(session: number): string | undefined {
  return session === NO_SESSION ? undefined : `s${session}`;
}

/** @returns `left` when it was not read to its end. */
async function readStream(
  stream: CallStream,
  read: number,
  made: Made,
  { nowMs }: Target,
): Promise<'left' | 'read'> {
  if (read > 0) {
    for await (const item of stream) {
      made.items.push(item);
      if (made.items.length >= read) break;
    }
  }
  if (made.items.length < read) return 'read';
  made.abortedAtMs ??= nowMs();
  await stream.stop();
  return 'left';
}
