// What can a supervisor be asked? Types only.
import type { ActorRef } from '../actors/lifecycle/ref.ts';
import type { ChildRows } from './child-rows.ts';
import type { FullChildSpec } from './child-spec.ts';
import type { ChildWalk } from './child-walk.ts';
import type { FullSupervisorFlags } from './supervisor-flags.ts';
import type { SupervisorReports } from './supervisor-reports.ts';

interface Answer {
  readonly settle: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** A child as the caller names it: by its id, or by its reference where children have none. */
export type ChildName = string | ActorRef;

export type SupervisorCall = Answer &
  (
    | {
        readonly op: 'startChild';
        readonly spec: FullChildSpec | undefined;
        readonly extra?: unknown;
      }
    | {
        readonly op:
          'terminateChild' | 'restartChild' | 'deleteChild' | 'getChildSpec' | 'whichChild';
        readonly child: ChildName;
        /** Its start was called off for this call: whatever is left of it, the child does not run. */
        readonly hurried?: boolean;
      }
    | { readonly op: 'whichChildren' | 'countChildren' }
  );

export type OfChild = Extract<SupervisorCall, { readonly child: ChildName }>;

export interface CallParts {
  readonly path: string;
  readonly flags: FullSupervisorFlags;
  readonly rows: ChildRows;
  readonly walk: ChildWalk;
  readonly reports: SupervisorReports;
}

export type StartCall = Extract<SupervisorCall, { readonly op: 'startChild' }>;
