// Is a failed call explained? By what its own client ordered, or by a fault that was put into the very incarnation that it names; by nothing else.
import { isCaduceusError } from '../../src/index.ts';

/** What a client wants of its call. Anything but `answer` is an end that it brings about itself. */
export type Wanted =
  | { readonly type: 'answer' }
  /** It aborts the call, if that is not over before. */
  | { readonly type: 'abort' }
  /** It gives it less time than it may need. */
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  /** It asks Python to raise an error with this message. */
  | { readonly type: 'raise'; readonly message: string };

/** What the injector does to processes. */
export type Fault = 'kill' | 'freeze' | 'segfault' | 'exit' | 'zygote';

/** One incarnation, as errors name it. */
export interface Site {
  readonly workerId: string;
  readonly epoch: number;
}

/** Which incarnations a fault was put into. */
export class Targets {
  readonly #faults = new Map<string, Fault>();

  /** The first fault counts: a process dies once. */
  add({ workerId, epoch }: Site, fault: Fault): void {
    const key = `${workerId} ${epoch}`;
    if (!this.#faults.has(key)) this.#faults.set(key, fault);
  }

  of({ workerId, epoch }: Site): Fault | undefined {
    return this.#faults.get(`${workerId} ${epoch}`);
  }
}

/** A call that has not been answered. */
export interface Failure {
  readonly pool: string;
  readonly client: string;
  readonly op: string;
  readonly sessionId: string | undefined;
  readonly wanted: Wanted;
  readonly error: unknown;
  /** The incarnation that its caller held alone. */
  readonly held: Site | undefined;
  /** Since the beginning of the run. */
  readonly beganMs: number;
  readonly tookMs: number;
}

export type Verdict =
  | { readonly type: 'ordered' }
  | { readonly type: 'injected'; readonly fault: Fault }
  | { readonly type: 'unexplained'; readonly because: string };

/** Node's timers may be this much early, since they count whole milliseconds. */
const EARLY_MS = 2;
/** An error of an error of an error: far above what there is, and an end to a ring. */
const CAUSES_MAX = 8;

export function judge(failure: Failure, targets: Targets): Verdict {
  const { error } = failure;
  if (!isCaduceusError(error)) return unexplained('it is no error of this package');
  const ordered = orderedEnd(failure, error.code);
  if (ordered !== undefined) return ordered;
  const site = error.code === 'checkout_ended' ? failure.held : deathSiteOf(error);
  if (site === undefined) return unexplained('its client did not order it, and it names no death');
  const fault = targets.of(site);
  if (fault !== undefined) return { type: 'injected', fault };
  return unexplained(`no fault was put into ${site.workerId} (epoch ${site.epoch})`);
}

/** The end that the client has ordered; undefined when it has ordered none, or when this is another one. */
function orderedEnd({ wanted, error, tookMs }: Failure, code: string): Verdict | undefined {
  switch (wanted.type) {
    case 'answer':
      return undefined;
    case 'abort':
      return code === 'aborted' ? { type: 'ordered' } : undefined;
    case 'deadline': {
      if (code !== 'deadline_exceeded') return undefined;
      // What was not sent may be given up early, when it could not have made it.
      const isEarly = tookMs < wanted.timeoutMs - EARLY_MS;
      const { outcome } = error as { readonly outcome?: string };
      if (isEarly && outcome !== 'notSent')
        return unexplained(`its deadline of ${wanted.timeoutMs} ms was not over`);
      return { type: 'ordered' };
    }
    case 'raise': {
      if (code !== 'python_error') return undefined;
      const { message } = error as Error;
      return message === `ValueError: ${wanted.message}` ? { type: 'ordered' } : undefined;
    }
    default:
      return wanted satisfies never;
  }
}

/** The incarnation whose death an error tells of, itself or by one of its causes. */
function deathSiteOf(error: unknown): Site | undefined {
  let found: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && found instanceof Error; depth += 1) {
    const { code, workerId, epoch } = found as Error & Partial<Site> & { readonly code?: unknown };
    if (code === 'worker_crashed' && workerId !== undefined && epoch !== undefined)
      return { workerId, epoch };
    found = found.cause;
  }
  return undefined;
}

function unexplained(because: string): Verdict {
  return { type: 'unexplained', because };
}

/** All that is known of it, for people. */
export function describeFailure(failure: Failure, because: string): string {
  const { pool, client, op, sessionId, wanted, error, beganMs, tookMs } = failure;
  const session = sessionId === undefined ? '' : ` of session ${sessionId}`;
  const when = `at ${Math.round(beganMs)} ms, after ${tookMs.toFixed(1)} ms`;
  const lines = [`${pool}: ${op} by ${client}${session}, ${when}: ${because}`];
  if (wanted.type !== 'answer') lines.push(`  it wanted ${JSON.stringify(wanted)}`);
  let found = error;
  for (let depth = 0; depth < CAUSES_MAX && found instanceof Error; depth += 1) {
    const { code, outcome, stderrTail } = found as Error & Readonly<Record<string, unknown>>;
    lines.push(
      `  ${depth === 0 ? '' : 'because of '}${found.name} (${String(code)}, ${String(outcome)}): ${found.message}`,
    );
    if (typeof stderrTail === 'string' && stderrTail !== '')
      lines.push(stderrTail.replace(/^/gmu, '    | '));
    found = found.cause;
  }
  if (!(error instanceof Error)) lines.push(`  ${String(error)}`);
  return lines.join('\n');
}
