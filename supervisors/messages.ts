// How does a program speak to actors by reference or by name? Calls, casts, monitors and registries, each in a system.
import type { ExitReason } from '../actors/ground/exit-reason.ts';
import {
  callActor,
  stopActor,
  type Callee,
  type CallOptions,
  type StopOptions,
} from '../actors/lifecycle/call.ts';
import { monitorActor, type DownListener, type Monitor } from '../actors/lifecycle/monitor.ts';
import { isActorName, nameText, type ActorName, type Names } from '../actors/lifecycle/names.ts';
import type { AnyActorEvent } from '../actors/lifecycle/actor-ref.ts';
import type { ActorRef, RefPorts } from '../actors/lifecycle/ref.ts';
import { openRegistry, Registry, type RegistryOptions } from '../actors/lifecycle/registry.ts';
import { ownIncarnation } from '../actors/lifecycle/self.ts';
import { defaultSystem } from './system.ts';

/** An actor: its reference, or a name that is looked up now. */
export type Target = ActorRef | ActorName;

type SystemPorts = RefPorts & { readonly names: Names };

/** In which system names are looked up. Default: the one of the actor whose code runs, else the system of this process. */
export interface InSystem {
  readonly system?: SystemPorts;
}

/**
 * Ask an actor and wait for its answer: the event gets a `from`, to which the actor says `reply(from, value)`. For a Python worker the event's type is the operation, its `args` the arguments.
 *
 * @param target its reference or its name.
 * @returns the answer.
 * @throws {@link CallExitError}: `noproc` when there is nobody, `timeout`, `calling_self`, `exit` (with `reason`) when it ended before its answer, `aborted`; {@link PythonError} for what Python
 *   raised. A call that timed out or was aborted is not called off: the actor still works on it, and a Python worker is not ended by it. Its late answer is dropped.
 */
export async function call<Result = unknown>(
  target: Target,
  event: AnyActorEvent,
  options: CallOptions & InSystem = {},
): Promise<Result> {
  return (await callActor(calleeOf(target, options), event, options)) as Result;
}

/** Send an event and wait for nothing. It never fails: where nobody is it is a dead letter, counted and told on the bus. */
export function cast(target: Target, event: AnyActorEvent, options: InSystem = {}): void {
  const ref = tryWhereis(target, options);
  if (ref !== undefined) {
    ref.send(event);
    return;
  }
  const path = isActorName(target) ? nameText(target) : '';
  systemOf(options).bus.emit('letter.dead', { path, epoch: 0, event: event.type });
}

/**
 * Be told once when an actor has ended, after its last messages. Of one that is dead or that nobody knows: soon, with reason `noproc`. A monitor that an actor makes, and one that notifies an
 * actor, goes with that actor.
 *
 * @param listener a function (what it throws is told on the bus and hurts nobody), or `{ notify, event }`: an actor and the type of the event that it is sent, by default `DOWN`.
 */
export function monitor(target: Target, listener: DownListener, options: InSystem = {}): Monitor {
  return monitorActor(whereis(target, options), systemOf(options), listener);
}

/**
 * Have an actor end: one that handles `caduceus.shutdown` is asked to, any other is stopped at once. Its supervisor judges this end as any other: a permanent child is started again.
 *
 * @param reason with which an actor that is stopped ends. Default `normal`.
 * @returns with which reason it ended.
 * @throws {@link CallExitError}: `noproc`, `calling_self`, `timeout`.
 */
export async function stop(
  target: Target,
  reason?: ExitReason,
  options: StopOptions & InSystem = {},
): Promise<ExitReason> {
  return stopActor(calleeOf(target, options), reason, options);
}

/**
 * The living incarnation of a name; a reference stands for itself.
 * @throws {@link RegistryError} for a name in a registry that does not run.
 */
export function whereis(target: Target, options: InSystem = {}): ActorRef | undefined {
  return isActorName(target) ? systemOf(options).names.whereis(target) : target;
}

/**
 * Start a registry that nobody supervises. `registry(options)` is one for a child specification.
 * @throws {@link RegistryError} `already_started`; {@link InvalidConfigError}.
 */
export function startRegistry<Key = unknown, Value = unknown>(
  options: RegistryOptions,
  within: InSystem = {},
): Registry<Key, Value> {
  const { names } = systemOf(within);
  return new Registry(options.name, names, openRegistry(options, names));
}

/** The registry of that name, whoever started it; it need not run yet. */
export function registryNamed<Key = unknown, Value = unknown>(
  name: string,
  within: InSystem = {},
): Registry<Key, Value> {
  return new Registry(name, systemOf(within).names, () => undefined);
}

function calleeOf(target: Target, options: InSystem): Callee {
  const label = isActorName(target) ? nameText(target) : target.path;
  return { ref: whereis(target, options), label };
}

/** Who does not know the place of a name finds nobody there. */
function tryWhereis(target: Target, options: InSystem): ActorRef | undefined {
  try {
    return whereis(target, options);
  } catch {
    return undefined;
  }
}

function systemOf({ system }: InSystem): SystemPorts {
  if (system !== undefined) return system;
  const ports = ownIncarnation()?.ports;
  return ports?.names === undefined ? defaultSystem() : (ports as SystemPorts);
}
