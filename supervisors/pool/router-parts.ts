// What do the rooms of a router share? Its rows, its clock, and what was said of it.
import type { Breaker } from '../../actors/breaker/breaker.ts';
import type { Deadlines } from '../../actors/ground/deadlines.ts';
import type { CallQueue } from './queue.ts';
import type { Retrying } from './retrying.ts';
import type { RouterOptions, RouterPorts } from './router-types.ts';
import type { RunTimes } from './run-times.ts';
import type { Scopes } from './scopes.ts';
import type { Settling } from './settling.ts';

/** One of each for one router. */
export interface RouterParts {
  readonly options: RouterOptions;
  readonly ports: RouterPorts;
  readonly deadlines: Deadlines;
  readonly queue: CallQueue;
  readonly scopes: Scopes;
  readonly settling: Settling;
  readonly retrying: Retrying;
  readonly runTimes: RunTimes;
  readonly breaker: Breaker | undefined;
}
