// How is a conformance case played? One supervisor in virtual time, and the questions that OTP's suite asks of it.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { Child } from '../../actors/lifecycle/child.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { ChildSpec } from '../../supervisors/child-spec.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { checkFlags, type SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { SupervisorHandle } from '../../supervisors/supervisor-handle.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';
import { std, type Told } from './children.ts';

export const HOUR_MS = 3_600_000;
/** Short enough for nothing to happen by itself, long enough for every child of these cases to stop. */
const SOON_MS = 2_000;

/** How a child is made to end: OTP's `exit(Pid, kill)`, message `die`, message `stop`. */
export const END = {
  kill: { type: 'exit', reason: { type: 'killed' } },
  abnormal: { type: 'die' },
  normal: { type: 'stop' },
} as const satisfies Readonly<Record<string, Told>>;

export type Ending = keyof typeof END;

/** The child specification that OTP's suite uses unless a case says otherwise. */
export function child(id: string, more: Partial<ChildSpec> = {}): ChildSpec {
  return { id, start: std, shutdown: 1_000, ...more };
}

/** OTP's `[Specs, Active, Supervisors, Workers]`. */
export type Counts = readonly [specs: number, active: number, supervisors: number, workers: number];

export class Stage {
  readonly world: VirtualSystem;
  readonly sup: SupervisorHandle;

  constructor(world: VirtualSystem, sup: SupervisorHandle) {
    this.world = world;
    this.sup = sup;
  }

  /** Why the supervisor has ended; nothing while it lives. */
  get exit(): ExitReason | undefined {
    return this.sup.ref.exitReason;
  }

  /** Wait for the answer while no time passes. @throws the refusal. */
  ask<Value>(answer: Promise<Value>): Promise<Value> {
    return this.world.settled(answer);
  }

  /** Wait for an answer that needs some time. @throws the refusal. */
  async soon<Value>(answer: Promise<Value>, ms = SOON_MS): Promise<Value> {
    answer.catch(() => undefined);
    await this.world.advance(ms);
    return this.world.settled(answer);
  }

  /** `startChild` of a child that does start. */
  async start(specOrExtra?: unknown): Promise<ActorRef> {
    return livingOf((await this.ask(this.sup.startChild(specOrExtra))).child);
  }

  async starts(...specs: readonly ChildSpec[]): Promise<readonly ActorRef[]> {
    const refs: ActorRef[] = [];
    for (const spec of specs) refs.push(await this.start(spec));
    return refs;
  }

  /** The present incarnation of a child that is up. */
  async ref(id: string): Promise<ActorRef> {
    return livingOf((await this.ask(this.sup.whichChild(id))).child);
  }

  async refs(...ids: readonly string[]): Promise<readonly ActorRef[]> {
    return Promise.all(ids.map((id) => this.ref(id)));
  }

  /** OTP's `which_children`: newest first, id and child. */
  async which(): Promise<readonly (readonly [unknown, ActorRef | 'restarting' | undefined])[]> {
    return whichOf(await this.ask(this.sup.whichChildren()));
  }

  async counts(): Promise<Counts> {
    return countsOf(await this.ask(this.sup.countChildren()));
  }

  /** Make a child end, and let what follows happen. */
  async end(ref: ActorRef, how: Ending): Promise<void> {
    await this.tell(ref, END[how]);
  }

  async tell(ref: ActorRef, event: Told): Promise<void> {
    ref.send(event);
    await this.world.settle();
  }

  /** A supervisor below, as one who holds its handle sees it. */
  below(id: string, flags: SupervisorFlags): Stage {
    const life = this.sup.children().find((one) => one.id === id);
    return new Stage(this.world, handleOf(life, flags));
  }
}

/** A supervisor with the flags that OTP's suite uses unless a case says otherwise. */
export async function stage(
  flags: SupervisorFlags = {},
  world: VirtualSystem = virtualSystem(),
): Promise<Stage> {
  const all = { maxRestarts: 2, periodMs: HOUR_MS, ...flags };
  return new Stage(world, await world.settled(startSupervisor(all, world)));
}

export function countsOf(counts: Awaited<ReturnType<SupervisorHandle['countChildren']>>): Counts {
  return [counts.specs, counts.active, counts.supervisors, counts.workers];
}

export function whichOf(
  entries: Awaited<ReturnType<SupervisorHandle['whichChildren']>>,
): readonly (readonly [unknown, ActorRef | 'restarting' | undefined])[] {
  return entries.map((entry) => [entry.id, entry.child]);
}

function livingOf(found: ActorRef | 'restarting' | undefined): ActorRef {
  if (found === undefined || found === 'restarting') throw new Error(`it is ${found ?? 'down'}`);
  return found;
}

function handleOf(life: Child | undefined, flags: SupervisorFlags): SupervisorHandle {
  if (!(life instanceof Supervisor)) throw new Error('no such supervisor below');
  return new SupervisorHandle(life, checkFlags(flags), new Promise(() => undefined));
}
