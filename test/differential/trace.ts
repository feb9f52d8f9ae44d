// What is to be seen of a case? Who started and ended in which order, what each step was answered with, and what it left behind.

/** One start or end of one incarnation. `n` counts the starts of its path, failed ones too. */
export type TraceEvent =
  | {
      readonly type: 'start';
      readonly path: string;
      readonly n: number;
      readonly outcome: 'ok' | 'ignore' | 'error' | 'supervisor';
    }
  | { readonly type: 'exit'; readonly path: string; readonly n: number; readonly reason: string };

/** What one step came to, once nothing moved any more. */
export interface StepTrace {
  readonly events: readonly TraceEvent[];
  /** One answer for each thing that was asked, as words: `['ok', '/a#2']`, `['error', 'not_found']`. */
  readonly results: readonly (readonly string[])[];
  /** One line for each living supervisor, top down: its children and its counts. */
  readonly snapshot: readonly string[];
}

/** The start of the root, each step of the case, its last stop. */
export type Trace = readonly StepTrace[];

/** The event in one line. */
export function eventText(event: TraceEvent): string {
  const name = `${event.path}#${event.n}`;
  if (event.type === 'exit') return `exit ${name} ${event.reason}`;
  return event.outcome === 'supervisor' ? `start ${name}` : `start ${name} ${event.outcome}`;
}
