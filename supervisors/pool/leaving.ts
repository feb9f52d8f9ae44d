// What does a worker carry with it that is to go by plan?
import type { Deadline } from '../../actors/ground/deadlines.ts';

/** How a worker goes that is to be replaced by plan: it takes nothing new, and its sessions move or end. */
export interface Leaving {
  readonly because: string;
  readonly deadline: Deadline;
  readonly done: () => void;
}
