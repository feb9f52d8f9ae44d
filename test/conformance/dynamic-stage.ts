// How is a case of Elixir's DynamicSupervisor played? One of it in virtual time, and children that end as they are told.
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import type { Started, StartFunction } from '../../actors/lifecycle/start-function.ts';
import {
  startDynamicSupervisor,
  type DynamicChildSpec,
  type DynamicSupervisorHandle,
  type DynamicSupervisorOptions,
} from '../../supervisors/dynamic-supervisor.ts';
import type { StartedChild } from '../../supervisors/supervisor-handle.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';
import { std } from './children.ts';

export const SHUTDOWN: ExitReason = { type: 'shutdown' };
export const SIGNAL: ExitReason = { type: 'shutdown', detail: 'signal' };
export const WHATEVER: ExitReason = { type: 'error', error: new Error('whatever') };

/** So many restarts that they do not matter. */
export const MANY = { maxRestarts: 100_000 } as const;

export class DynamicStage {
  readonly world: VirtualSystem;
  readonly sup: DynamicSupervisorHandle;

  constructor(world: VirtualSystem, sup: DynamicSupervisorHandle) {
    this.world = world;
    this.sup = sup;
  }

  /** `startChild` of a child that does start. No turn of the event loop passes: a loop of failed restarts stands still. */
  async start(spec: DynamicChildSpec): Promise<ActorRef> {
    return refOf(await this.sup.startChild(spec));
  }

  /** Three children of the same specification. */
  async three(spec: DynamicChildSpec): Promise<readonly ActorRef[]> {
    return [await this.start(spec), await this.start(spec), await this.start(spec)];
  }

  /** How many workers there are, and how many of them live. */
  async counts(): Promise<{ readonly workers: number; readonly active: number }> {
    const { workers, active } = await this.sup.countChildren();
    return { workers, active };
  }

  /** Stop the supervisor, and give time for what its children take. @returns how each of these ended. */
  async stop(children: readonly ActorRef[]): Promise<readonly (ExitReason | undefined)[]> {
    const stopped = this.sup.stop();
    await this.world.advance(10_000);
    await this.world.settled(stopped);
    return children.map(({ exitReason }) => exitReason);
  }
}

export async function dynamicStage(options: DynamicSupervisorOptions = {}): Promise<DynamicStage> {
  const world = virtualSystem();
  return new DynamicStage(world, await world.settled(startDynamicSupervisor(options, world)));
}

/** Elixir's `exit(pid, reason)`: what follows of it at once has happened when this returns. */
export function end(child: ActorRef, reason: ExitReason): void {
  const event = { type: 'exit', reason };
  child.send(event);
}

/** What a start may give here. */
export type Value = 'ok' | 'extra' | 'ignore' | 'error' | 'unknown';

/** Gives this at each start. */
export function gives(value: Value): StartFunction {
  return () => {
    switch (value) {
      case 'ok':
        return { logic: std };
      case 'extra':
        return { logic: std, info: 'extra' };
      case 'ignore':
        return 'ignore';
      case 'error':
        throw new Error('found');
      case 'unknown':
        return 'unknown' as unknown as Started;
      default:
        return value satisfies never;
    }
  };
}

/** Its first start is good, each later one gives this. */
export function restartsAs(value: Value): StartFunction {
  let starts = 0;
  return (input, context) => {
    starts += 1;
    return gives(starts === 1 ? 'ok' : value)(input, context);
  };
}

export function refOf(started: StartedChild | 'ignore'): ActorRef {
  if (started === 'ignore' || started.child === undefined) throw new Error('nothing was started');
  return started.child;
}
