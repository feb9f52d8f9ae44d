// How many things can really run at one time here? The one place that asks the machine.
import { availableParallelism } from 'node:os';

/** The processor cores that this process may use: the default number of partitions, and of tasks that a stream runs at one time. */
export function cores(): number {
  return availableParallelism();
}
