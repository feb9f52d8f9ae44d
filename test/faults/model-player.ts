// How is a plan played against a pool? Each step becomes what a user, or an unkind world, does; calls and orders are written down as their callers know them.
import { Caller, nameOf, type StepOf } from './model-caller.ts';
import type { CallOp, Plan, Step } from './model-plan.ts';
import { siteOf, type Failure, type Hold, type Made, type Order, type Told } from './model-run.ts';
import { sizeWithin, type Target } from './model-target.ts';

export class Player {
  readonly orders: Order[] = [];
  readonly #caller: Caller;
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #told: Told;

  constructor(target: Target, plan: Plan, told: Told) {
    this.#caller = new Caller(target, plan, told);
    this.#target = target;
    this.#plan = plan;
    this.#told = told;
  }

  get calls(): readonly Made[] {
    return this.#caller.calls;
  }

  get holds(): readonly Hold[] {
    return this.#caller.holds;
  }

  get openCount(): number {
    const calls = this.calls.filter(({ fate }) => fate.type === 'pending').length;
    return calls + this.orders.filter(({ answer }) => answer.type === 'pending').length;
  }

  get isResizing(): boolean {
    return this.orders.some(({ what, answer }) => what === 'resize' && answer.type === 'pending');
  }

  async play(step: Step): Promise<void> {
    const { tempo } = this.#target;
    switch (step.type) {
      case 'call':
        this.#caller.call(step);
        return;
      case 'batch':
        this.#caller.batch(step);
        return;
      case 'stream':
        this.#caller.stream(step);
        return;
      case 'checkout':
        this.#caller.checkOut(step);
        return;
      case 'held':
        this.#caller.heldCall(step);
        return;
      case 'check_in':
        this.#caller.checkIn(step);
        return;
      case 'abort':
        this.#caller.abort(this.calls.at(-1 - step.call));
        return;
      case 'kill':
      case 'freeze':
        this.#hurt(step);
        return;
      case 'bad_starts':
        this.#target.failStarts(step.count);
        return;
      case 'deliver':
        await this.#target.deliver(step.facts);
        return;
      case 'time':
        await this.#target.pass(tempo.spans[step.span]);
        return;
      default:
        this.#order(step);
    }
  }

  /** The faults are over: who holds a worker gives it back. */
  tidyUp(): void {
    this.#target.failStarts(0);
    this.#caller.holdNoMore();
  }

  /** A call that must be answered, now that all is well. */
  probe(op: CallOp, session: string | undefined): Made {
    return this.#caller.probe(op, session);
  }

  start(): void {
    this.#ordered('start', () => this.#target.bridge.start());
  }

  endSession(session: string): Order {
    const { length: next } = this.calls;
    const { bridge } = this.#target;
    // Here it ends at once, unless it is refused; its workers hear of it later.
    return this.#ordered('end_session', () =>
      bridge.endSession(session).then(
        () => this.#caller.sessionEnded(session, next),
        (error: unknown) => {
          if ((error as Failure).code !== 'invalid_config')
            this.#caller.sessionEnded(session, next);
          throw error;
        },
      ),
    );
  }

  #hurt({ type, whose, worker }: StepOf<'kill' | 'freeze'>): void {
    const states = { idle: ['ready'], busy: ['busy'], any: ['ready', 'busy'] }[whose];
    const found = this.#target.workers().filter(({ state }) => states.includes(state));
    const victim = found[worker % found.length];
    if (victim === undefined) return;
    this.#told.seen.add(`${type} ${victim.state}`);
    this.#told.injected.set(siteOf(victim.path, victim.epoch), type);
    this.#target.hurt(type, victim);
  }

  #order(step: StepOf<'resize' | 'reload' | 'drain' | 'start' | 'end_session'>): void {
    const { bridge } = this.#target;
    switch (step.type) {
      case 'resize':
        this.#ordered('resize', () => bridge.resize(sizeWithin(this.#plan, step.size)));
        return;
      case 'reload':
        this.#ordered('reload', () => bridge.reload());
        return;
      case 'drain':
        this.#ordered('drain', () => bridge.drain({ timeoutMs: this.#caller.ms(step.time) }));
        return;
      case 'start':
        this.start();
        return;
      case 'end_session': {
        const session = nameOf(step.session);
        if (session !== undefined) this.endSession(session);
        return;
      }
      default:
        step satisfies never;
    }
  }

  #ordered(what: Order['what'], give: () => Promise<unknown>): Order {
    const order: Order = { what, atMs: this.#target.nowMs(), answer: { type: 'pending' } };
    this.orders.push(order);
    give().then(
      () => {
        order.answer = { type: 'done' };
        this.#told.seen.add(`${what} done`);
      },
      (error: unknown) => {
        order.answer = { type: 'failed', error: error as Failure };
        this.#told.seen.add(`${what} ${(error as Failure).code}`);
      },
    );
    return order;
  }
}
