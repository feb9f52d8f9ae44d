// What must a supervisor know to start, restart and stop a child? OTP's child specification (supervisor, "Child specification"), with its defaults.
import type { AnyActorLogic } from 'xstate';

import type { ExitReason } from '../actors/ground/exit-reason.ts';
import { LIMITS } from '../actors/ground/limits.ts';
import type { LifecycleStart, Shutdown } from '../actors/lifecycle/child.ts';
import type { ActorName } from '../actors/lifecycle/names.ts';
import type { StartFunction } from '../actors/lifecycle/start-function.ts';
import type { Backoff } from './backoff.ts';

/** `permanent`: always restarted; `transient`: only after an abnormal exit; `temporary`: never, and its row goes with it. */
export type RestartType = 'permanent' | 'transient' | 'temporary';

/** What is below it: nothing that is supervised, or a further supervisor. It decides the default of `shutdown`, and in which of its sums `countChildren` has it. */
export type ChildType = 'worker' | 'supervisor';

/** One child of a supervisor. Unknown keys are refused. */
export interface ChildSpec {
  /** Unique among the children of one supervisor; no empty text. */
  readonly id: string;
  /** XState logic, a start function, or a start that makes its own lifecycle (`supervisor`, `pythonWorker`). */
  readonly start: AnyActorLogic | StartFunction | LifecycleStart;
  /** Handed to the logic or the start function at each start. */
  readonly input?: unknown;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** Whether its own end may end the supervisor (`autoShutdown`). Default false; not for permanent children. */
  readonly significant?: boolean;
  /** Time to end by itself: milliseconds, `brutal_kill` or `infinity`. Default 5 000 for a worker, `infinity` for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Default `worker`; `supervisor` where `start` is a supervisor's. */
  readonly type?: ChildType;
  /** When its start counts as done: `ready` (default, OTP's init) or `spawned`; an exit before ready is then an ordinary, counted exit. */
  readonly ack?: 'ready' | 'spawned';
  /** A name in the system, or one of a registry (`via`): it resolves to the present incarnation. Taken by another that lives: the start fails. */
  readonly name?: ActorName;
  /** From a start to ready, in ms; beyond it the start has failed with `{timeout, start}`. Default 60 000. Not for supervisors and Python workers, which have their own. */
  readonly startTimeoutMs?: number;
  /** Beyond OTP: so many failed starts in a row end the supervisor, however slow they are. Unlimited by default. */
  readonly maxConsecutiveStartFailures?: number;
  /** Beyond OTP: false for reasons that no restart can mend (an import error): the supervisor gives up at once instead of trying on. */
  readonly isRetryable?: (reason: ExitReason) => boolean;
  /** Beyond OTP: wait before a restart. Default: the supervisor's, which is none. */
  readonly backoff?: Backoff;
}

/** The specification with all defaults filled in, as `getChildSpec` gives it. */
export type FullChildSpec = Required<Omit<ChildSpec, 'name' | 'backoff' | 'isRetryable'>> &
  Pick<ChildSpec, 'name' | 'backoff' | 'isRetryable'>;

/** Fill in the defaults of a specification that is known to be valid. A key that is there with no value has its default too. */
export function withDefaults(spec: ChildSpec, kind: ChildType | undefined): FullChildSpec {
  const type = spec.type ?? kind ?? 'worker';
  const given = Object.entries(spec).filter(([, value]) => value !== undefined);
  return {
    input: undefined,
    restart: 'permanent',
    significant: false,
    shutdown: type === 'supervisor' ? 'infinity' : LIMITS.shutdownMs,
    ack: 'ready',
    startTimeoutMs: LIMITS.startTimeoutMs,
    maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
    ...(Object.fromEntries(given) as unknown as ChildSpec),
    type,
  };
}
