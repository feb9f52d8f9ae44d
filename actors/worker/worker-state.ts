// In which of the eight public states is a worker?
import type { SnapshotFrom } from 'xstate';

import type { LifecycleState } from '../lifecycle/child.ts';
import type { workerMachine } from './worker.machine.ts';

export type WorkerSnapshot = SnapshotFrom<typeof workerMachine>;

/** The worker's state in the words that hold for every child: where it is inside of one is its own affair. */
export function lifecycleStateOf(snapshot: WorkerSnapshot): LifecycleState {
  if (snapshot.hasTag('crashed')) return 'crashed';
  const { value } = snapshot;
  if (typeof value === 'string') return value;
  const inner = value.incarnation;
  return (typeof inner === 'string' ? inner : Object.keys(inner)[0]) as LifecycleState;
}
