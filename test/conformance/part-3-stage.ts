// How are the cases of tasks and partitions played? In virtual time, with an actor that does what it is told, where a caller has to be one.
import { fromCallback, type AnyActorLogic } from 'xstate';

import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { ActorRef } from '../../actors/lifecycle/ref.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import type { SupervisorHandle } from '../../supervisors/supervisor-handle.ts';
import {
  startTaskSupervisor,
  type TaskSupervisorHandle,
  type TaskSupervisorOptions,
} from '../../supervisors/task-supervisor.ts';
import { virtualSystem, type VirtualSystem } from '../support/virtual-system.ts';

/** Runs what it is given, as its own code. */
const doer: AnyActorLogic = fromCallback<{ readonly type: 'do'; readonly act: () => unknown }>(
  ({ receive }) => {
    receive(({ act }) => void act());
  },
);

/** Resolves when somebody says so. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** A task that never ends by itself. */
export const forever = (): Promise<never> => new Promise<never>(() => undefined);

export class TaskStage {
  readonly world: VirtualSystem;
  readonly tasks: TaskSupervisorHandle;
  readonly actors: SupervisorHandle;

  constructor(world: VirtualSystem, tasks: TaskSupervisorHandle, actors: SupervisorHandle) {
    this.world = world;
    this.tasks = tasks;
    this.actors = actors;
  }

  /** Wait for the answer while no time passes. @throws the refusal. */
  ask<Value>(answer: Promise<Value>): Promise<Value> {
    return this.world.settled(answer);
  }

  /** Wait for an answer that needs some time. @throws the refusal. */
  async within<Value>(ms: number, answer: Promise<Value>): Promise<Value> {
    answer.catch(() => undefined);
    await this.world.advance(ms);
    return this.world.settled(answer);
  }

  /** Takes so many ms, then gives their number. */
  readonly sleep = (ms: number): Promise<number> =>
    new Promise((resolve) => {
      this.world.clock.setTimeout(() => resolve(ms), ms);
    });

  /** An actor that does what it is told. */
  async actor(id: string): Promise<ActorRef> {
    const spec = { id, start: doer, restart: 'temporary' } as const;
    const { child } = await this.ask(this.actors.startChild(spec));
    if (child === undefined) throw new Error('it was not started');
    return child;
  }

  /** Have an actor do something. @returns what that gives. */
  as<Value>(actor: ActorRef, act: () => Value | Promise<Value>): Promise<Value> {
    const done = new Promise<Value>((resolve, reject) => {
      const run = async (): Promise<Value> => act();
      (actor as ActorRef<{ type: 'do'; act: () => unknown }>).send({
        type: 'do',
        act: () => run().then(resolve, reject),
      });
    });
    return this.ask(done);
  }

  /** The references of the tasks that run now. */
  running(): Promise<readonly ActorRef[]> {
    return this.ask(this.tasks.tasks());
  }

  /** Nothing of what was played is left: no task, no timer, no letter to the dead. */
  async leftovers(): Promise<readonly [tasks: number, timers: number, letters: number]> {
    await this.world.settle();
    const { length } = await this.running();
    return [length, this.world.clock.pending, this.world.system.deadLettersCount];
  }
}

export const NOTHING_LEFT = [0, 0, 0];

export async function taskStage(options: TaskSupervisorOptions = {}): Promise<TaskStage> {
  const world = virtualSystem();
  const tasks = await world.settled(startTaskSupervisor(options, world));
  const actors = await world.settled(startSupervisor({ name: 'actors' }, world));
  return new TaskStage(world, tasks, actors);
}

/** Everything that it gives. */
export async function all<Value>(stream: AsyncIterable<Value>): Promise<readonly Value[]> {
  const values: Value[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

/** The first so many, then no more is asked for. */
export async function take<Value>(
  count: number,
  stream: AsyncIterable<Value>,
): Promise<readonly Value[]> {
  const values: Value[] = [];
  for await (const value of stream) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

export function ok<Value>(value: Value): { readonly type: 'ok'; readonly value: Value } {
  return { type: 'ok', value };
}

export function exited(reason: ExitReason): {
  readonly type: 'exit';
  readonly reason: ExitReason;
} {
  return { type: 'exit', reason };
}
