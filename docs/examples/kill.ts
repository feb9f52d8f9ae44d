// What happens when a worker is killed in the middle of a call? The kill, what each side says of it, and the proof of the recovery.
import { WorkerCrashedError } from '../../src/index.ts';
import { nextEvent } from './facts.ts';
import { MainJobError, type Happening, type Seat } from './happenings.ts';
import { SUM_MEANWHILE } from './passage.ts';
import { ask, execute, rounded, seatOf, type Caller, type Run } from './session.ts';

/** SIGKILL the worker that holds `victim`'s session while it works on `question`, and see the session go on in the next incarnation. */
export async function killInTheMiddle(
  run: Run,
  victim: Caller,
  other: Caller,
  question: string,
): Promise<void> {
  const { runtime, tell, signal, progress } = run;
  const before = seatOf(runtime, victim.session);
  const failure = await startFatalCall(run, victim, question);

  const { workerId, pid } = before;
  if (pid === undefined) throw new MainJobError(`session ${victim.session} is on no process`);
  const decided = nextEvent(runtime, 'supervisor.decided', () => true, signal);
  const ready = nextEvent(runtime, 'child.ready', ({ path }) => path === workerId, signal);
  const replayed = nextEvent(
    runtime,
    'scope.replayed',
    ({ worker }) => worker === workerId,
    signal,
  );
  const killedAtMs = performance.now();
  process.kill(pid, 'SIGKILL');
  progress.killedPid = pid;
  tell({ type: 'killed', session: victim.session, signal: 'SIGKILL', ...before });

  const atMs = (nowMs: number): number => rounded(nowMs - killedAtMs);
  const error = errorHappening(await failure.error, atMs(performance.now()));
  const { event, nowMs } = await decided;
  const decision: Happening = { type: 'decision', atMs: atMs(nowMs), ...event };
  for (const fact of [decision, error].sort((a, b) => a.atMs - b.atMs)) tell(fact);

  // The other session has lost nothing and waits for nothing.
  await ask(run, other, SUM_MEANWHILE, killedAtMs);

  // A session whose worker is gone goes to the free worker with the fewest sessions: once the newcomer is there, that is the newcomer.
  const { event: restart, nowMs: readyAtMs } = await ready;
  const { epoch, pid: newPid } = restart;
  tell({ type: 'restarted', atMs: atMs(readyAtMs), workerId, epoch, pid: newPid });
  const asked = ask(run, victim, question, killedAtMs);
  const replay = await Promise.race([replayed, asked.then(() => replayed)]);
  tell({ type: 'replayed', atMs: atMs(replay.nowMs), ...replay.event });
  progress.recoveryMs = atMs(await asked);
  await checkRecovery(run, victim, before);
}

interface FatalCall {
  /** How the call fails; rejects when it is answered after all. */
  readonly error: Promise<unknown>;
}

/** Start the call that will not end well; settles once it is a fact that the worker is at it. */
async function startFatalCall(run: Run, victim: Caller, question: string): Promise<FatalCall> {
  const { runtime, model, tell, signal } = run;
  const { session } = victim;
  model.keepWaiting(question);
  const error = execute(run, victim, question).then(
    () => Promise.reject(new MainJobError('the call was answered before its worker was killed')),
    (reason: unknown) => reason,
  );
  const isWorkerBusy = (): boolean => runtime.pool('dspy').workerOf(session)?.state === 'busy';
  await Promise.race([
    model.isInTheMiddle({ question, isWorkerBusy, signal }),
    error.then((reason) => Promise.reject(reason as Error)),
  ]);
  tell({ type: 'in_flight', session, question, seen: model.seen, ...seatOf(runtime, session) });
  return { error };
}

function errorHappening(error: unknown, atMs: number): Happening & { type: 'error' } {
  if (!(error instanceof WorkerCrashedError)) throw error;
  const { code, outcome, exitReason, message, workerId, epoch } = error;
  return { type: 'error', code, outcome, exitReason, message, workerId, epoch, atMs };
}

/** The run shows nothing unless the session really went on: same program, same worker's place, new process. */
async function checkRecovery(run: Run, victim: Caller, before: Seat): Promise<void> {
  const { runtime, progress } = run;
  const { session, programId } = victim;
  const now = seatOf(runtime, session);
  progress.newPid = now.pid ?? null;
  progress.epoch = now.epoch;
  const { programs } = (await runtime.ml.listPrograms({ sessionId: session })) as {
    programs: readonly { id: string }[];
  };
  const where = `${now.workerId} (epoch ${now.epoch}, pid ${now.pid ?? 'none'})`;
  if (now.workerId !== before.workerId || now.epoch !== before.epoch + 1) {
    throw new MainJobError(`session ${session} went on in ${where}, not in the next incarnation`);
  }
  if (now.pid === before.pid) {
    throw new MainJobError(`session ${session} is still in the process that was killed: ${where}`);
  }
  if (programs.map(({ id }) => id).join() !== programId) {
    throw new MainJobError(`session ${session} has not the program ${programId} in ${where}`);
  }
}
