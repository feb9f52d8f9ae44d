// How does a test hold a supervisor's children in its hand? Lives that do nothing by themselves and note every order.
import { Bus, type BusEvents } from '../../actors/ground/bus.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { Random } from '../../actors/ground/random.ts';
import {
  lifecycleStart,
  type Child,
  type ChildFact,
  type ChildStart,
  type LifecycleState,
  type Shutdown,
} from '../../actors/lifecycle/child.ts';
import { Names } from '../../actors/lifecycle/names.ts';
import { Incarnation } from '../../actors/lifecycle/ref.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import {
  checkFlags,
  type SupervisorExtras,
  type SupervisorFlags,
} from '../../supervisors/supervisor-flags.ts';
import type { SupervisorCall } from '../../supervisors/supervisor-call.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Start = Parameters<ChildStart>[0];

/** Of the references only: nobody calls them here. */
const CLOCK = new VirtualClock();

export class FakeChild implements Child {
  readonly id: string;
  readonly kind = 'worker';
  readonly pid = undefined;
  state: LifecycleState = 'spawning';
  epoch: number;
  /** Whether what is left of it after a crash takes its time: then the end is told when the test says so. */
  cleanUp: 'at once' | 'slow' = 'at once';
  readonly #tell: (fact: ChildFact) => void;
  readonly #log: string[];
  #reason: ExitReason = { type: 'shutdown' };
  #ref: Incarnation;
  readonly #path: string;
  readonly #bus: Bus;

  constructor(start: Start, log: string[], bus: Bus) {
    this.id = start.id;
    this.epoch = start.epoch;
    this.#path = start.path;
    this.#bus = bus;
    this.#ref = this.#newRef();
    this.#tell = start.listener;
    this.#log = log;
    log.push(`start ${this.id}/${this.epoch}`);
  }

  get ref(): Incarnation {
    return this.#ref;
  }

  #newRef(): Incarnation {
    const address = { id: this.id, path: this.#path, epoch: this.epoch };
    return new Incarnation(address, { clock: CLOCK, bus: this.#bus }, () => undefined);
  }

  restart(epoch: number, delayMs: number): void {
    this.#log.push(`restart ${this.id}/${epoch}${delayMs === 0 ? '' : ` after ${delayMs}`}`);
    this.state = 'spawning';
    this.epoch = epoch;
    this.#ref = this.#newRef();
  }

  stop(shutdown: Shutdown, _reason: ExitReason): void {
    this.#log.push(`stop ${this.id} ${shutdown}`);
    // What has crashed is over: it answers at once, with the reason of its crash.
    if (this.state === 'crashed' && this.cleanUp === 'at once') this.stopped(this.#reason);
    else this.state = 'stopping';
  }

  children(): readonly Child[] {
    return [];
  }

  ready(epoch = this.epoch): void {
    this.state = 'ready';
    this.#tell({ type: 'child.ready', id: this.id, epoch });
  }

  crashed(reason: ExitReason = { type: 'exit_status', status: 1 }, epoch = this.epoch): void {
    this.state = 'crashed';
    this.#reason = reason;
    if (epoch === this.epoch) this.#ref.end(reason);
    const report = { reason, stderrTail: '' };
    this.#tell({ type: 'child.crashed', id: this.id, epoch, report });
  }

  ignored(): void {
    this.state = 'stopped';
    this.#ref.end({ type: 'normal' });
    this.#tell({ type: 'child.ignored', id: this.id, epoch: this.epoch });
  }

  stopped(reason: ExitReason = { type: 'shutdown' }, epoch = this.epoch): void {
    this.state = 'stopped';
    if (epoch === this.epoch) this.#ref.end(reason);
    this.#tell({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}

type Question = SupervisorCall extends infer Call
  ? Call extends SupervisorCall
    ? Omit<Call, 'settle' | 'fail'>
    : never
  : never;

type Spec = Omit<ChildSpec, 'start'> & { readonly start?: ChildStart };

/** What may go wrong around a supervisor. */
interface World {
  readonly random?: Random;
  /** Whether the parent throws when it is told this. */
  readonly upward?: (type: ChildFact['type']) => boolean;
}

/** A supervisor of fake children. `log` holds the orders to them and what the supervisor told upward. */
export function supervised(
  specs: readonly Spec[],
  flags: Omit<SupervisorFlags, 'children'> & SupervisorExtras = {},
  world: World = {},
) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const log: string[] = [];
  const lives = new Map<string, FakeChild>();
  const facts: ChildFact[] = [];
  const decisions: BusEvents['supervisor.decided'][] = [];
  bus.on('supervisor.decided', (event) => decisions.push(event));
  const reports: BusEvents['supervisor.reported'][] = [];
  bus.on('supervisor.reported', (event) => reports.push(event));
  const children = specs.map(({ start: given, ...spec }) => ({
    ...spec,
    start: lifecycleStart('worker', () => (start) => {
      if (given !== undefined) return given(start);
      const life = new FakeChild(start, log, bus);
      lives.set(spec.id, life);
      return life;
    }),
  }));
  const { onGiveUp, epochs, ...plain } = flags;
  const supervisor = new Supervisor(
    {
      ...{ id: 'sup', path: 'sup', epoch: 1 },
      listener: (fact) => {
        if (world.upward?.(fact.type) === true) throw new Error('not heard');
        facts.push(fact);
        log.push(`told ${fact.type}`);
      },
    },
    checkFlags(
      { ...plain, children },
      { ...(onGiveUp && { onGiveUp }), ...(epochs && { epochs }) },
    ),
    { clock, bus, random: world.random ?? { next: () => 0.5 }, names: new Names() },
  );
  return {
    ...{ clock, bus, log, facts, decisions, reports, supervisor },
    life: (id: string) => lives.get(id)!,
    stop: () => supervisor.stop('infinity', { type: 'shutdown' }),
    /** Ask through the API. @returns where the answer will be: a value or an error. */
    ask: (question: Question): readonly unknown[] => {
      const answers: unknown[] = [];
      const answer = (given: unknown) => answers.push(given);
      supervisor.serve({ ...question, settle: answer, fail: answer });
      return answers;
    },
    reason: () => facts.flatMap((fact) => (fact.type === 'child.stopped' ? [fact.reason] : [])),
  };
}

/** The same, with every child up and nothing in the log. */
export function running(
  specs: readonly Spec[],
  flags: Omit<SupervisorFlags, 'children'> & SupervisorExtras = {},
  world: World = {},
) {
  const setup = supervised(specs, flags, world);
  setup.clock.poll();
  for (const { id } of specs) setup.life(id).ready();
  setup.log.length = 0;
  return setup;
}

export const ids = (...names: readonly string[]): Spec[] => names.map((id) => ({ id }));
