// Why may a call fail? By what its own caller ordered, by a limit that was reached, or by a fault in the very incarnation that its error names; by nothing else.
import { describe, siteOf, type Failure, type Made, type Run } from './model-run.ts';
import { BREAKER_FAILURES } from './model-target.ts';

/** Node's timers count whole milliseconds. */
const EARLY_MS = 2;
const CAUSES_MAX = 8;

/** What is wrong with the failure of this call, if anything is. */
export function explain(run: Run, made: Made): readonly string[] {
  const { fate } = made;
  if (fate.type !== 'failed') return [];
  const { error } = fate;
  const isHarmless = run.plan.kind === 'harsh' || error.code === 'unknown_thing';
  const wrong = isHarmless ? reasonAgainst(run, made, error) : 'nothing was to fail it';
  return wrong === undefined ? [] : [`${describe(made)}, but ${wrong}`];
}

/** Undefined: there is a reason for it. */
function reasonAgainst(run: Run, made: Made, error: Failure): string | undefined {
  const { plan, told } = run;
  const tookMs = made.settledAtMs - made.madeAtMs;
  switch (error.code) {
    case 'aborted':
      // By its caller, or because that gave its worker back.
      return made.abortedAtMs !== undefined || isGivenBack(run, made)
        ? undefined
        : 'nobody did that';
    case 'deadline_exceeded': {
      // What could not make it any more is given up before it is sent.
      const isShed = error.outcome === 'notSent' && run.statistics.counters.shed > 0;
      return tookMs >= made.timeoutMs - EARLY_MS || isShed ? undefined : 'it had time left';
    }
    case 'checkout_timeout':
      return tookMs >= made.checkoutTimeoutMs - EARLY_MS ? undefined : 'it had time left';
    case 'overloaded':
      return made.queuedBefore >= plan.options.queueLengthMax
        ? undefined
        : `only ${made.queuedBefore} calls waited`;
    case 'circuit_open': {
      const count = told.crashes + told.failedStarts;
      return count >= BREAKER_FAILURES ? undefined : `only ${count} workers had failed`;
    }
    case 'poisoned':
      return 'it was not in flight in two crashes with the same arguments';
    case 'session_lost':
      return made.session !== undefined && plan.options.onSessionLoss === 'fail'
        ? undefined
        : 'its pool makes sessions again';
    case 'pool_failed':
    case 'pool_stopped':
      return wasDown(run, made) ? undefined : 'the pool was well';
    case 'checkout_ended':
      return reasonAgainstEnd(run, made);
    case 'worker_crashed':
      return reasonAgainstCrash(run, made, error);
    case 'python_error':
      return made.op === 'raise' ? undefined : 'it was not asked to raise';
    case 'unavailable':
      return made.op === 'flaky' ? undefined : 'it was not asked to raise';
    case 'unknown_thing':
      // Whether it could be there is the affair of the state.
      return made.op === 'add' || made.op === 'drop' ? undefined : 'it is about nothing';
    default:
      return `nothing explains ${String(error.code)}`;
  }
}

/** Whether the pool was anything but serving at a time of this call. */
function wasDown({ told }: Run, { madeAtMs, settledAtMs }: Made): boolean {
  return told.lives.some(({ state, atMs }, index) => {
    if (state === 'serving' || atMs > settledAtMs) return false;
    const next = told.lives.slice(index).find((life) => life.state === 'serving');
    return (next?.atMs ?? Infinity) >= madeAtMs;
  });
}

function holdOf({ holds }: Run, { checkout, number }: Made): Run['holds'][number] | undefined {
  return holds.find(({ made }) => made.number === (checkout ?? number));
}

/** It is a call of a checkout that was over: given back, or its time was. */
function isGivenBack(run: Run, made: Made): boolean {
  const hold = made.checkout === undefined ? undefined : holdOf(run, made);
  if (hold === undefined) return false;
  return hold.endedAt <= made.settledAt || run.told.seen.has('reclaimed');
}

function reasonAgainstEnd(run: Run, made: Made): string | undefined {
  const hold = holdOf(run, made);
  if (hold === undefined) return 'it held no worker';
  if (isGivenBack(run, made) || run.told.seen.has('reclaimed')) return undefined;
  return isDoomed(run, made, siteOf(hold.workerId, hold.epoch))
    ? undefined
    : `nothing was done to ${hold.workerId} (epoch ${hold.epoch})`;
}

function reasonAgainstCrash(run: Run, made: Made, error: Failure): string | undefined {
  const sites = deathSitesOf(error);
  if (sites.length === 0) return 'it names no worker';
  // On its way out it is killed when a call is given up that it was being brought up to date for.
  const isCutOff = ({ exitReason }: Failure, site: string): boolean =>
    exitReason?.type === 'killed' && run.told.retiringAtMs.has(site);
  return sites.some((site) => isDoomed(run, made, site) || isCutOff(error, site))
    ? undefined
    : `nothing was done to ${sites.join(', ')}`;
}

/** Whether there was a reason for the end of this incarnation at a time of this call. */
function isDoomed(run: Run, made: Made, site: string): boolean {
  const { told, plan, tempo } = run;
  if (told.injected.has(site) || told.condemned.has(site) || wasDown(run, made)) return true;
  const retiringAtMs = told.retiringAtMs.get(site);
  const drainMs = plan.options.drain === 'ample' ? tempo.drainMs : tempo.tightMs;
  return retiringAtMs !== undefined && made.settledAtMs >= retiringAtMs + drainMs - EARLY_MS;
}

/** Incarnations whose death an error tells of, itself or by its causes. */
function deathSitesOf(error: Failure): readonly string[] {
  const found: string[] = [];
  let next: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && next instanceof Error; depth += 1) {
    const { workerId, epoch, cause } = next as Failure;
    if (workerId !== undefined && epoch !== undefined) found.push(siteOf(workerId, epoch));
    next = cause;
  }
  return found;
}
