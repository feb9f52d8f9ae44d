// What is the main job? Two sessions ask on two workers; one loses its worker in the middle of a call, and goes on.
import { pino } from 'pino';

import { createRuntime, dspy, isCaduceusError } from '../../src/index.ts';
import { allWorkersReady, processesOf } from './facts.ts';
import { MainJobError, type Summary, type Tell } from './happenings.ts';
import { killInTheMiddle } from './kill.ts';
import { openModel } from './model.ts';
import type { MainJobOptions } from './options.ts';
import { questionsFor, SUMS } from './passage.ts';
import { processesLeft } from './processes.ts';
import { ask, openSession, type Progress, type Run } from './session.ts';

const STDERR = 2;
/** A call under way when the run is broken off may take so long to end; the demo's are short. */
const POOL = { size: 2, callTimeoutMs: 60_000, shutdownMs: 1_000 };

/** The whole job, from nothing to no process left. Never rejects: what went wrong is told, and the summary says so. */
export async function runMainJob(
  options: MainJobOptions,
  tell: Tell,
  signal: AbortSignal,
): Promise<Summary> {
  const progress: Progress = {
    programIds: [],
    answers: 0,
    killedPid: null,
    newPid: null,
    epoch: null,
    recoveryMs: null,
  };
  let seen: ReadonlySet<number> = new Set();
  let isDone = false;
  try {
    await using model = await openModel(options.remote);
    const textWords = options.text.split(/\s+/u).length;
    tell({ type: 'start', model: model.name, text: options.textName, textWords });
    await using runtime = await createRuntime({
      bridges: { dspy: { adapter: dspy(), pool: POOL } },
      logger: options.verbose ? pino({ level: 'debug' }, pino.destination(STDERR)) : false,
    });
    seen = processesOf(runtime);
    signal.throwIfAborted();
    signal.addEventListener('abort', () => void runtime.stop());
    await askAndKill({ runtime, model, tell, signal, progress }, options);
    isDone = true;
  } catch (error) {
    tell({ type: 'failure', code: codeOf(error), message: messageOf(error) });
  }
  // Runtime and model have been stopped by now, whichever way the block was left.
  return tellSummary(progress, isDone, processesLeft(seen).length, tell);
}

async function askAndKill(run: Run, options: MainJobOptions): Promise<void> {
  const { runtime, model, tell, signal } = run;
  const { before, fatal } = questionsFor(options.asks, options.isOwnText);
  await allWorkersReady(runtime, signal);
  tell({ type: 'tree', when: 'started', root: runtime.tree() });

  // Without a session it holds for the whole bridge: for both workers, and for any that replaces one.
  await runtime.ml.configure('dspy', model.config);
  const reader = await openSession(run, {
    session: 'reader',
    type: 'chain_of_thought',
    signature: 'context: str, question: str -> answer: str',
    inputs: (question) => ({ context: options.text, question }),
  });
  const calculator = await openSession(run, {
    session: 'calculator',
    type: 'predict',
    signature: 'question: str -> answer: float',
    inputs: (question) => ({ question }),
  });
  for (const question of before) await ask(run, reader, question);
  for (const question of SUMS) await ask(run, calculator, question);

  await killInTheMiddle(run, reader, calculator, fatal);
  tell({ type: 'tree', when: 'recovered', root: runtime.tree() });
}

function tellSummary(progress: Progress, isDone: boolean, left: number, tell: Tell): Summary {
  const { programIds, answers, killedPid, newPid, epoch, recoveryMs } = progress;
  const summary: Summary = {
    type: 'summary',
    ok: isDone && left === 0,
    sessions: programIds.length,
    answers,
    killedPid,
    newPid,
    epoch,
    programId: programIds[0] ?? null,
    recoveryMs,
    processesLeft: left,
  };
  tell(summary);
  return summary;
}

const UNEXPECTED = 'unexpected';

function codeOf(error: unknown): string {
  return isCaduceusError(error) || error instanceof MainJobError ? error.code : UNEXPECTED;
}

/** The error and what caused it, unless it says that itself; of an error that nobody foresaw, all that is known. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message, stack } = error;
  const own = codeOf(error) === UNEXPECTED ? (stack ?? message) : message;
  const below = cause === undefined ? '' : messageOf(cause);
  return own.includes(below) ? own : `${own}\n${below}`;
}
