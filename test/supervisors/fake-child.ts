// How does a test hold a supervisor's children in its hand? Lives that do nothing by themselves and note every order.
import { Bus, type BusEvents } from '../../actors/ground/bus.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type {
  Child,
  ChildFact,
  ChildStart,
  LifecycleState,
  Shutdown,
} from '../../actors/lifecycle/child.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Start = Parameters<ChildStart>[0];

export class FakeChild implements Child {
  readonly id: string;
  readonly kind = 'worker';
  readonly pid = undefined;
  state: LifecycleState = 'spawning';
  epoch: number;
  readonly #tell: (fact: ChildFact) => void;
  readonly #log: string[];
  #reason: ExitReason = { type: 'shutdown' };

  constructor(start: Start, log: string[]) {
    this.id = start.id;
    this.epoch = start.epoch;
    this.#tell = start.listener;
    this.#log = log;
    log.push(`start ${this.id}/${this.epoch}`);
  }

  restart(epoch: number, delayMs: number): void {
    this.#log.push(`restart ${this.id}/${epoch}${delayMs === 0 ? '' : ` after ${delayMs}`}`);
    this.state = 'spawning';
    this.epoch = epoch;
  }

  stop(shutdown: Shutdown, _reason: ExitReason): void {
    this.#log.push(`stop ${this.id} ${shutdown}`);
    // What has crashed is over: it answers at once, with the reason of its crash.
    if (this.state === 'crashed') this.stopped(this.#reason);
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
    const phase = this.state === 'spawning' ? 'starting' : 'started';
    this.state = 'crashed';
    this.#reason = reason;
    const report = { reason, stderrTail: '' };
    this.#tell({ type: 'child.crashed', id: this.id, epoch, report, phase });
  }

  stopped(reason: ExitReason = { type: 'shutdown' }, epoch = this.epoch): void {
    this.state = 'stopped';
    this.#tell({ type: 'child.stopped', id: this.id, epoch, reason });
  }
}

type Spec = Omit<ChildSpec, 'start'> & { readonly start?: ChildStart };

/** A supervisor of fake children. `log` holds the orders to them and what the supervisor told upward. */
export function supervised(specs: readonly Spec[], flags: Omit<SupervisorFlags, 'children'> = {}) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const log: string[] = [];
  const lives = new Map<string, FakeChild>();
  const facts: ChildFact[] = [];
  const decisions: BusEvents['supervisor.decided'][] = [];
  bus.on('supervisor.decided', (event) => decisions.push(event));
  const children = specs.map((spec) => ({
    start: (start: Start) => {
      const life = new FakeChild(start, log);
      lives.set(spec.id, life);
      return life;
    },
    ...spec,
  }));
  const supervisor = new Supervisor(
    {
      ...{ id: 'sup', path: 'sup', epoch: 1 },
      listener: (fact) => {
        facts.push(fact);
        log.push(`told ${fact.type}`);
      },
    },
    { ...flags, children },
    { clock, bus },
  );
  return {
    ...{ clock, bus, log, facts, decisions, supervisor },
    life: (id: string) => lives.get(id)!,
    stop: () => supervisor.stop('infinity', { type: 'shutdown' }),
    reason: () => facts.flatMap((fact) => (fact.type === 'child.stopped' ? [fact.reason] : [])),
  };
}

/** The same, with every child up and nothing in the log. */
export function running(specs: readonly Spec[], flags: Omit<SupervisorFlags, 'children'> = {}) {
  const setup = supervised(specs, flags);
  setup.clock.poll();
  for (const { id } of specs) setup.life(id).ready();
  setup.log.length = 0;
  return setup;
}

export const ids = (...names: readonly string[]): Spec[] => names.map((id) => ({ id }));
