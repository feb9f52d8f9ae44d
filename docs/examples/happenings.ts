// What does the main job have to tell? Each fact of a run as plain data; the JSON report is these objects, one a line.
import type { BusEvents, ExitReason, Outcome, TreeNode } from '../../src/index.ts';

/** A worker process, as the facts name it. */
export interface Seat {
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly epoch: number;
}

/** Every `atMs` counts from the SIGKILL. */
export type Happening =
  | {
      readonly type: 'start';
      /** Who answers, in words for people. */
      readonly model: string;
      readonly text: string;
      readonly textWords: number;
    }
  | { readonly type: 'tree'; readonly when: 'started' | 'recovered'; readonly root: TreeNode }
  | ({
      readonly type: 'session';
      readonly session: string;
      readonly programId: string;
      readonly programType: string;
      readonly signature: string;
    } & Seat)
  | ({
      readonly type: 'answer';
      readonly session: string;
      readonly question: string;
      readonly answer: unknown;
      readonly ms: number;
      /** Only after the SIGKILL. */
      readonly atMs?: number;
    } & Seat)
  | ({
      readonly type: 'in_flight';
      readonly session: string;
      readonly question: string;
      /** The fact that says so. */
      readonly seen: 'model_was_asked' | 'worker_is_busy';
    } & Seat)
  | ({
      readonly type: 'killed';
      readonly session: string;
      readonly signal: 'SIGKILL';
    } & Seat)
  | ({
      readonly type: 'error';
      readonly code: string;
      readonly outcome: Outcome;
      readonly exitReason: ExitReason;
      readonly message: string;
      readonly atMs: number;
    } & Omit<Seat, 'pid'>)
  | ({ readonly type: 'decision'; readonly atMs: number } & BusEvents['supervisor.decided'])
  | ({ readonly type: 'restarted'; readonly atMs: number } & Seat)
  | ({ readonly type: 'replayed'; readonly atMs: number } & BusEvents['scope.replayed'])
  | { readonly type: 'failure'; readonly code: string; readonly message: string }
  | Summary;

/** The last fact of every run. What a failed run did not reach is null. */
export interface Summary {
  readonly type: 'summary';
  readonly ok: boolean;
  readonly sessions: number;
  readonly answers: number;
  readonly killedPid: number | null;
  readonly newPid: number | null;
  readonly epoch: number | null;
  readonly programId: string | null;
  /** From the SIGKILL to the next answer in the session whose worker was killed. */
  readonly recoveryMs: number | null;
  /** Processes of this run that are alive after the runtime has stopped. */
  readonly processesLeft: number;
}

/** Where the facts go. */
export type Tell = (happening: Happening) => void;

/** The run did not show what it is there to show. */
export class MainJobError extends Error {
  override readonly name = 'MainJobError';
  readonly code = 'main_job_failed';
}
