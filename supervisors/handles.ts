// How does a program get hold of a supervisor that it did not start itself? From its reference, as `whereis`, `startChild` and `whichChildren` give it.
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import { DynamicSupervisorHandle } from './dynamic-supervisor.ts';
import { SupervisorError } from './supervision-errors.ts';
import { exitOf, SupervisorHandle } from './supervisor-handle.ts';
import { Supervisor } from './supervisor.ts';

const HANDLES = new WeakMap<Supervisor, SupervisorHandle | DynamicSupervisorHandle>();

/**
 * The handle of a living supervisor, wherever it stands in a tree. It is of this incarnation: after a restart its calls are refused with `noproc`, and the name has another reference.
 *
 * @param ref its reference; nothing where `whereis` found nobody.
 * @returns a `DynamicSupervisorHandle` for a dynamic supervisor (`instanceof` tells), else a `SupervisorHandle`.
 * @throws {@link SupervisorError} `noproc` for what is no living supervisor.
 */
export function handleOf(ref: ActorRef | undefined): SupervisorHandle | DynamicSupervisorHandle {
  const supervisor =
    ref === undefined || ref.exitReason !== undefined ? undefined : Supervisor.of(ref);
  if (ref === undefined || supervisor === undefined) {
    throw new SupervisorError('noproc', ref?.path ?? '(nobody)', { op: 'handleOf' });
  }
  const present = HANDLES.get(supervisor);
  if (present !== undefined) return present;
  const { flags } = supervisor;
  const Handle = flags.flavour === 'dynamic' ? DynamicSupervisorHandle : SupervisorHandle;
  const handle = new Handle(supervisor, flags, exitOf(ref));
  HANDLES.set(supervisor, handle);
  return handle;
}
