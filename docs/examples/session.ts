// How does one caller use the runtime? A session, a program in it, and questions.
import type { Runtime } from '../../src/index.ts';
import type { Seat, Tell } from './happenings.ts';
import type { AnsweringModel } from './model.ts';

/** What all steps of a run share. */
export interface Run {
  readonly runtime: Runtime;
  readonly model: AnsweringModel;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What a run has reached so far; it becomes the summary, whether the run succeeds or not. */
export interface Progress {
  readonly programIds: string[];
  answers: number;
  killedPid: number | null;
  newPid: number | null;
  epoch: number | null;
  recoveryMs: number | null;
}

export interface SessionPlan {
  readonly session: string;
  readonly type: 'predict' | 'chain_of_thought';
  readonly signature: string;
  readonly inputs: (question: string) => Record<string, unknown>;
}

/** One caller: a session with a program of its own. */
export interface Caller extends SessionPlan {
  readonly programId: string;
}

export async function openSession(run: Run, plan: SessionPlan): Promise<Caller> {
  const { session, type, signature } = plan;
  const programId = await run.runtime.ml.createProgram(
    { signature, type },
    { sessionId: session, bridge: 'dspy' },
  );
  run.progress.programIds.push(programId);
  const seat = seatOf(run.runtime, session);
  run.tell({ type: 'session', session, programId, programType: type, signature, ...seat });
  return { ...plan, programId };
}

/** Ask, tell the answer, and give the moment when it came. */
export async function ask(
  run: Run,
  caller: Caller,
  question: string,
  killedAtMs?: number,
): Promise<number> {
  const { session } = caller;
  const startedAtMs = performance.now();
  const answer = await execute(run, caller, question);
  const nowMs = performance.now();
  run.progress.answers += 1;
  run.tell({
    type: 'answer',
    session,
    question,
    answer,
    ...seatOf(run.runtime, session),
    ms: rounded(nowMs - startedAtMs),
    ...(killedAtMs === undefined ? {} : { atMs: rounded(nowMs - killedAtMs) }),
  });
  return nowMs;
}

export async function execute(run: Run, caller: Caller, question: string): Promise<unknown> {
  const { session, programId, inputs } = caller;
  const options = { sessionId: session };
  const outputs = await run.runtime.ml.execute(programId, inputs(question), options);
  return outputs['answer'];
}

/** The worker that holds the session's state now. */
export function seatOf(runtime: Runtime, session: string): Seat {
  const worker = runtime.pool('dspy').workerOf(session);
  return { workerId: worker?.workerId ?? 'none', pid: worker?.pid, epoch: worker?.epoch ?? 0 };
}

/** Milliseconds as people want to read them: in tenths. */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
