// What can happen to a tree of supervisors? Trees and events as plain data, the world that runs them under virtual time, and what was seen.
import fc from 'fast-check';
import { fromCallback, setup, type AnyActorLogic } from 'xstate';

import { Bus, type BusEvents } from '../../actors/ground/bus.ts';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { exit } from '../../actors/lifecycle/exit.ts';
import type { Child } from '../../actors/lifecycle/child.ts';
import { Names } from '../../actors/lifecycle/names.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { StartFunction } from '../../actors/lifecycle/start-function.ts';
import type { ChildSpec, RestartType } from '../../supervisors/child-spec.ts';
import { supervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorCall } from '../../supervisors/supervisor-call.ts';
import {
  checkFlags,
  type AutoShutdown,
  type Strategy,
  type SupervisorFlags,
} from '../../supervisors/supervisor-flags.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export interface WorkerPlan {
  readonly kind: 'worker';
  readonly restart: RestartType;
  readonly significant: boolean;
  readonly shutdownMs: number | 'brutal_kill';
  readonly ack: 'ready' | 'spawned';
  /** What it does when it is asked to end: nothing special, ends by itself, or never. */
  readonly asked: 'is stopped' | 'ends' | 'ignores it';
  /** Outcomes of its second start and the following ones; then they are good. */
  readonly later: readonly ('ok' | 'fails')[];
}

export interface TreePlan {
  readonly kind: 'supervisor';
  readonly restart: RestartType;
  readonly strategy: Exclude<Strategy, 'simple_one_for_one'>;
  readonly maxRestarts: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
  readonly children: readonly (WorkerPlan | TreePlan)[];
}

export type TreeEvent =
  /** The workers at these places, all in one turn. */
  | {
      readonly type: 'end';
      readonly workers: readonly number[];
      readonly how: 'crash' | 'normal' | 'shutdown';
    }
  | {
      readonly type: 'call';
      readonly op: 'terminateChild' | 'restartChild' | 'deleteChild' | 'replaceChild';
      readonly child: number;
    }
  | { readonly type: 'wait'; readonly ms: number };

const RESTARTS = ['permanent', 'transient', 'temporary'] as const;
const WORKER: fc.Arbitrary<WorkerPlan> = fc.record({
  kind: fc.constant('worker'),
  restart: fc.constantFrom(...RESTARTS),
  significant: fc.boolean(),
  shutdownMs: fc.oneof(fc.constant('brutal_kill'), fc.integer({ min: 0, max: 300 })),
  ack: fc.constantFrom('ready', 'ready', 'spawned'),
  asked: fc.constantFrom('is stopped', 'ends', 'ignores it'),
  later: fc.array(fc.constantFrom('ok', 'ok', 'fails'), { maxLength: 4 }),
});

function treeOf(depth: number): fc.Arbitrary<TreePlan> {
  const child =
    depth === 0
      ? WORKER
      : fc.oneof({ weight: 3, arbitrary: WORKER }, { weight: 1, arbitrary: treeOf(depth - 1) });
  return fc.record({
    kind: fc.constant('supervisor'),
    restart: fc.constantFrom(...RESTARTS),
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    maxRestarts: fc.integer({ min: 0, max: 4 }),
    periodMs: fc.integer({ min: 1, max: 2_000 }),
    autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
    children: fc.array(child, { minLength: 1, maxLength: 5 }),
  });
}

export const TREE = treeOf(2);
export const EVENTS: fc.Arbitrary<readonly TreeEvent[]> = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('end'),
      workers: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
      how: fc.constantFrom('crash', 'crash', 'normal', 'shutdown'),
    }),
    fc.record({
      type: fc.constant('call'),
      op: fc.constantFrom('terminateChild', 'restartChild', 'deleteChild', 'replaceChild'),
      child: fc.nat(8),
    }),
    fc.record({ type: fc.constant('wait'), ms: fc.integer({ min: 1, max: 1_500 }) }),
  ),
  { maxLength: 25 },
);

type Decision = BusEvents['supervisor.decided'] & {
  readonly atMs: number;
  /** Which incarnation of the supervisor decided: one that is started anew begins with an empty window. */
  readonly incarnation: number;
};

/** What happened to one direct child, in order. */
export interface Step {
  readonly what: 'starting' | 'ended' | 'decided' | 'called' | 'over';
  readonly path: string;
  readonly decision?: Decision;
}

/** A tree that runs. */
export class TreeWorld {
  readonly clock = new VirtualClock();
  readonly bus = new Bus();
  readonly decisions: Decision[] = [];
  readonly steps: Step[] = [];
  /** Paths of workers whose logic runs: told by the logic itself, not by its supervisor. */
  readonly running = new Map<string, number>();
  readonly root: Supervisor;
  /** Children of the root that a caller has wanted started: served in their turn, maybe behind a decision that came later. */
  readonly restartsAsked = new Set<string>();
  exitReason: ExitReason | undefined;

  constructor(plan: TreePlan) {
    const ends = new Map<string, number>();
    this.bus.on('supervisor.stopped', ({ supervisor: path }) => {
      ends.set(path, (ends.get(path) ?? 0) + 1);
      // Not `ended`: it may have been about to end by itself when it was told to.
      this.steps.push({ what: 'over', path });
    });
    this.bus.on('supervisor.decided', (event) => {
      const incarnation = ends.get(event.supervisor) ?? 0;
      const decision = { ...event, incarnation, atMs: this.clock.nowMs() };
      this.decisions.push(decision);
      this.steps.push({ what: 'decided', path: event.supervisor, decision });
    });
    this.bus.on('child.starting', ({ path }) => this.steps.push({ what: 'starting', path }));
    this.bus.on('child.stopped', ({ path }) => this.steps.push({ what: 'ended', path }));
    const ports = {
      clock: this.clock,
      bus: this.bus,
      random: { next: () => 0.5 },
      names: new Names(),
    };
    this.root = new Supervisor(
      {
        ...{ id: 'root', path: 'root', epoch: 1 },
        listener: (fact) => {
          if (fact.type === 'child.stopped') this.exitReason = fact.reason;
        },
      },
      checkFlags(this.#flags(plan, 'root')),
      ports,
    );
    this.clock.poll();
  }

  /** The lives of workers in the tree, in start order. */
  workers(): readonly Child[] {
    return workersUnder(this.root);
  }

  happen(event: TreeEvent): void {
    switch (event.type) {
      case 'end': {
        const workers = this.workers();
        const chosen = new Set(
          event.workers.flatMap((index) => workers[index % Math.max(1, workers.length)] ?? []),
        );
        // All references first: what one end sets off must not choose the next.
        const refs: ActorRef[] = [...chosen].map(({ ref }) => ref);
        for (const ref of refs) ref.send({ type: event.how });
        break;
      }
      case 'call':
        this.#call(event.op, String(event.child % 5));
        break;
      case 'wait':
        this.clock.advance(event.ms);
        break;
      default:
        event satisfies never;
    }
    this.clock.poll();
  }

  ask(question: { op: 'terminateChild' | 'restartChild' | 'deleteChild'; child: string }): void {
    this.steps.push({ what: 'called', path: 'root' });
    if (question.op === 'restartChild') this.restartsAsked.add(question.child);
    const call: SupervisorCall = { ...question, settle: () => undefined, fail: () => undefined };
    this.root.serve(call);
  }

  #call(op: Extract<TreeEvent, { type: 'call' }>['op'], child: string): void {
    const epoch = this.root.children().find(({ id }) => id === child)?.epoch ?? 0;
    if (op === 'replaceChild') this.root.replaceChild(child, epoch, 'a deadline');
    else this.ask({ op, child });
  }

  /** @returns ms that it took. */
  stop(): number {
    const fromMs = this.clock.nowMs();
    this.root.stop('infinity', { type: 'shutdown' });
    this.clock.poll();
    while (this.exitReason === undefined && Number.isFinite(this.clock.nextAtMs())) {
      this.clock.advance(this.clock.nextAtMs() - this.clock.nowMs());
    }
    return this.clock.nowMs() - fromMs;
  }

  #flags(plan: TreePlan, path: string): SupervisorFlags {
    const { strategy, maxRestarts, periodMs, autoShutdown } = plan;
    const children = plan.children.map((child, index) =>
      this.#spec(child, `${path}/${index}`, index, autoShutdown),
    );
    return { strategy, maxRestarts, periodMs, autoShutdown, children };
  }

  #spec(
    plan: WorkerPlan | TreePlan,
    path: string,
    index: number,
    autoShutdown: AutoShutdown,
  ): ChildSpec {
    const id = String(index);
    const { restart } = plan;
    if (plan.kind === 'supervisor')
      return { id, restart, start: supervisor(this.#flags(plan, path)) };
    const significant = plan.significant && restart !== 'permanent' && autoShutdown !== 'never';
    const { ack, shutdownMs: shutdown } = plan;
    return { id, restart, significant, shutdown, ack, start: this.#start(plan, path) };
  }

  #start(plan: WorkerPlan, path: string): StartFunction {
    let starts = 0;
    return () => {
      starts += 1;
      if (starts > 1 && plan.later[starts - 2] === 'fails') throw new Error('start failed');
      return { logic: this.#logic(plan, path) };
    };
  }

  #logic({ asked }: WorkerPlan, path: string): AnyActorLogic {
    const count = (by: number): void => {
      this.running.set(path, (this.running.get(path) ?? 0) + by);
    };
    const machine = setup({
      types: {
        events: {} as { readonly type: 'crash' | 'normal' | 'shutdown' | 'caduceus.shutdown' },
      },
      actors: {
        heart: fromCallback(() => {
          count(1);
          return () => count(-1);
        }),
      },
    });
    return machine.createMachine({
      initial: 'up',
      invoke: { src: 'heart' },
      states: {
        up: {
          on: {
            crash: {
              actions: () => {
                throw new Error('crash');
              },
            },
            normal: 'normal',
            shutdown: 'shutdown',
            ...(asked === 'ends' ? { 'caduceus.shutdown': 'shutdown' } : {}),
            ...(asked === 'ignores it'
              ? { 'caduceus.shutdown': { actions: () => undefined } }
              : {}),
          },
        },
        normal: { type: 'final', output: exit('normal') },
        shutdown: { type: 'final', output: exit('shutdown') },
      },
      output: ({ event }) => event.output,
    });
  }
}

function workersUnder(life: Child): readonly Child[] {
  return life.kind === 'worker' ? [life] : life.children().flatMap(workersUnder);
}

/** The longest that stopping this tree may take, in ms: children are stopped one after the other. */
export function shutdownBoundMs(plan: TreePlan | WorkerPlan): number {
  if (plan.kind === 'worker') return plan.shutdownMs === 'brutal_kill' ? 0 : plan.shutdownMs;
  return plan.children.reduce((sum, child) => sum + shutdownBoundMs(child), 0);
}
