// How does a conformance test hold its supervisor? In virtual time, with OTP's answers in OTP's shapes.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ActorEvent, ActorRef } from '../../actors/lifecycle/ref.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorHandle } from '../../supervisors/supervisor-handle.ts';
import type { SupervisorFlags } from '../../supervisors/supervisor-flags.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

/** What most cases of supervisor_SUITE run under. */
export const TWO_IN_AN_HOUR = { maxRestarts: 2, periodMs: 3_600_000 } as const;

/** One supervisor in a world of its own. Every question is settled before it is answered; time stands still unless the test lets it pass. */
export class Supervised {
  readonly world: VirtualSystem;
  readonly sup: SupervisorHandle;

  constructor(world: VirtualSystem, sup: SupervisorHandle) {
    this.world = world;
    this.sup = sup;
  }

  ask<Value>(promise: Promise<Value>): Promise<Value> {
    return this.world.settled(promise);
  }

  /** The reference of a child that was started now. @throws when its start said `ignore`. */
  async start(specOrExtra?: unknown): Promise<ActorRef> {
    const { child } = await this.ask(this.sup.startChild(specOrExtra));
    if (child === undefined) throw new Error('nothing was started');
    return child;
  }

  /** The living child of that id. @throws when it is not up. */
  async child(id: string): Promise<ActorRef> {
    const { child } = await this.ask(this.sup.whichChild(id));
    if (child === undefined || child === 'restarting') throw new Error(`${id} is not up`);
    return child;
  }

  /** OTP's `which_children`: ids and references, newest first. */
  async which(): Promise<readonly (readonly [string | undefined, unknown])[]> {
    const entries = await this.ask(this.sup.whichChildren());
    return entries.map(({ id, child }) => [id, child]);
  }

  /** OTP's `count_children`: specs, active, supervisors, workers. */
  async counts(): Promise<readonly number[]> {
    const { specs, active, supervisors, workers } = await this.ask(this.sup.countChildren());
    return [specs, active, supervisors, workers];
  }

  /** Send, and let follow what follows. */
  async tell(child: ActorRef, event: ActorEvent): Promise<void> {
    child.send(event);
    await this.world.settle();
  }

  /** Tell it to end by itself with this reason. */
  exits(child: ActorRef, reason: ExitReason): Promise<void> {
    return this.tell(child, { type: 'exit', reason } as ActorEvent);
  }

  /** Whether the supervisor still runs. */
  get state(): string {
    return this.sup.statistics().state;
  }

  /** Stop it as its parent would: with `shutdown`. Time passes only as far as the test lets it. */
  stop(): Promise<ExitReason> {
    return this.ask(this.sup.stop());
  }
}

/** Start a supervisor in a new world. */
export async function supervise(flags: SupervisorFlags = {}): Promise<Supervised> {
  const world = virtualSystem();
  return new Supervised(world, await world.settled(startSupervisor(flags, world)));
}

/** The code of the error with which this is refused. @throws when it is not refused. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await failure(promise);
  return (error as { readonly code?: string }).code ?? error.name;
}

/** The error with which this fails. @throws when it does not fail. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}
