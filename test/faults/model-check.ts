// What is a user promised of each call, whatever happens? Ends, honesty, order, books and reasons; each check gives what is wrong in words.
import { explain } from './model-explain.ts';
import { originals } from './model-watch.ts';
import { describe, siteOf, type Made, type Run } from './model-run.ts';
import { CHANGES, IDEMPOTENT, type Execution } from './model-target.ts';
import { checkSessions, checkShared } from './model-state.ts';

type Check = (run: Run) => readonly string[];

const CHECKS: Readonly<Record<string, Check>> = {
  'settles once, in time': checkEnds,
  'is honest about what ran': checkHonesty,
  'gives each caller its own answer': checkAnswers,
  'fails for a reason': (run) => run.calls.flatMap((made) => explain(run, made)),
  'keeps the order of a session': checkOrder,
  'runs one call of a session at a time': checkOneAtATime,
  'applies a change once to an incarnation': checkChanges,
  'keeps a session where it is': checkAffinity,
  'holds a worker for one alone': checkHolds,
  'keeps the state of sessions': checkSessions,
  'keeps the state that is shared': checkShared,
  'keeps its books': checkBooks,
  'keeps its workers': ({ told }) => told.shortages,
  'comes back and leaves nothing': ({ complaints }) => complaints,
};

/** Everything that is wrong with a run. */
export function complaintsOf(run: Run): readonly string[] {
  return Object.entries(CHECKS).flatMap(([name, check]) =>
    check(run).map((complaint) => `${name}: ${complaint}`),
  );
}

function checkEnds({ calls, tempo, orders }: Run): readonly string[] {
  const late = calls.flatMap((made) => {
    if (made.fate.type === 'pending') return [`${describe(made)} after ${made.madeAtMs} ms`];
    const tookMs = made.settledAtMs - made.madeAtMs;
    if (tookMs <= made.timeoutMs + tempo.lateMsMax) return [];
    return [`${describe(made)} took ${tookMs} ms, and had ${made.timeoutMs}`];
  });
  const open = orders.filter(({ answer }) => answer.type === 'pending');
  return [...late, ...open.map(({ what, atMs }) => `${what}, given at ${atMs} ms, is pending`)];
}

/** How often each call was begun. Of one that changes state the replays do not count: they come after its end, there or at its caller. */
function runsOf({ executions }: Run, { number, op, settledAt, fate }: Made): number {
  const own = executions.filter((one) => one.number === number);
  const begun = own.filter(({ kind }) => kind === 'start');
  if (!CHANGES.has(op)) return begun.length;
  const endedAt = own.find(({ kind }) => kind === 'end')?.stamp ?? Infinity;
  const until = fate.type === 'completed' ? Math.min(settledAt, endedAt) : settledAt;
  return begun.filter(({ stamp }) => stamp < until).length;
}

function checkHonesty(run: Run): readonly string[] {
  return run.calls.flatMap((made) => {
    const { fate, op, maxRetries } = made;
    if (made.kind === 'checkout') return [];
    const count = runsOf(run, made);
    const countMax = IDEMPOTENT.has(op) ? 1 + maxRetries : 1;
    const found: string[] = [];
    if (count > countMax) found.push(`${describe(made)} was begun ${count} times`);
    if (fate.type === 'completed' && count === 0) found.push(`${describe(made)} never ran`);
    if (fate.type === 'failed' && fate.error.outcome === undefined)
      found.push(`${describe(made)} does not say whether it ran`);
    const ever = run.executions.some(({ number }) => number === made.number);
    if (fate.type === 'failed' && fate.error.outcome === 'notSent' && ever)
      found.push(`${describe(made)} has run`);
    return found;
  });
}

function checkAnswers({ calls }: Run): readonly string[] {
  return calls.flatMap((made) => {
    const { fate, kind, number, items } = made;
    if (items.some((item, index) => item !== index))
      return [`${describe(made)} gave the items ${items.join(' ')}`];
    if (fate.type !== 'completed' || kind === 'checkout' || kind === 'stream') return [];
    const { number: found } = fate.value as { readonly number: number };
    return found === number ? [] : [`${describe(made)} got the answer of ${found}`];
  });
}

/** Its place among the calls of its session: that of its checkout, then its own. */
function placeOf({ number, checkout }: Made): readonly [number, number] {
  return checkout === undefined ? [number, 0] : [checkout, number];
}

function isBefore(left: Made, right: Made): boolean {
  const [a, b] = [placeOf(left), placeOf(right)];
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

/** What callers began, by session. */
function bySession({ calls, executions }: Run): ReadonlyMap<string, readonly Execution[]> {
  const found = new Map<string, Execution[]>();
  for (const one of originals(executions)) {
    if (one.session === null || calls[one.number] === undefined) continue;
    found.set(one.session, [...(found.get(one.session) ?? []), one]);
  }
  return found;
}

function checkOrder(run: Run): readonly string[] {
  return [...bySession(run).values()].flatMap((begun) =>
    begun.slice(1).flatMap((one, index) => {
      const [before, after] = [run.calls[begun[index]!.number]!, run.calls[one.number]!];
      return isBefore(after, before) ? [`${describe(after)} ran after ${describe(before)}`] : [];
    }),
  );
}

function checkOneAtATime({ calls, executions, told }: Run): readonly string[] {
  const open = new Map<string, Execution>();
  return executions.flatMap((one) => {
    const { session, number, kind } = one;
    const made = calls[number];
    if (session === null || made === undefined) return [];
    const other = open.get(session);
    if (kind === 'end') {
      if (other?.number === number) open.delete(session);
      return [];
    }
    open.set(session, one);
    const left = other === undefined ? undefined : calls[other.number];
    const site = other === undefined ? undefined : told.pids.get(other.pid);
    if (site !== undefined && (told.endedAt.get(site) ?? Infinity) < one.stamp) return [];
    // Of one whose caller was told nobody waits any more.
    if (left === undefined || left === made || left.settledAt < one.stamp) return [];
    return [`${describe(made)} began while ${describe(left)} ran`];
  });
}

function checkChanges({ executions }: Run): readonly string[] {
  /** By incarnation and scope: the changes that it has. */
  const applied = new Map<string, Set<number>>();
  return executions.flatMap(({ kind, number, op, pid, session }) => {
    const where = `${session ?? 'the anonymous scope'} in process ${pid}`;
    if (kind !== 'start') return [];
    // Then it is told all of it anew.
    if (op === 'forget') applied.delete(where);
    // Of a configuration the last one counts, however often it is told.
    if (!CHANGES.has(op) || op === 'setup') return [];
    const known = applied.get(where) ?? new Set();
    applied.set(where, known);
    if (known.has(number)) return [`${op} ${number} came twice to ${where}`];
    known.add(number);
    return [];
  });
}

/** With affinity required all calls of a session are run by one incarnation, until that is left. */
function checkAffinity(run: Run): readonly string[] {
  const { told, calls, plan } = run;
  if (plan.options.affinity !== 'required') return [];
  return [...bySession(run).values()].flatMap((begun) =>
    begun.slice(1).flatMap((one, index) => {
      const before = begun[index]!;
      if (one.pid === before.pid) return [];
      if (calls[one.number]!.generation !== calls[before.number]!.generation) return [];
      const site = told.pids.get(before.pid);
      // It died, or one of its calls was given up, after which it may be trusted no more.
      if (site !== undefined && (told.injected.has(site) || told.condemned.has(site))) return [];
      const leftAt = site === undefined ? undefined : told.leftAt.get(site);
      if (leftAt !== undefined && leftAt < one.stamp) return [];
      return [`${describe(calls[one.number]!)} left ${String(site)}, which was well`];
    }),
  );
}

function checkHolds({ holds, calls, executions, told }: Run): readonly string[] {
  const begun = originals(executions);
  return holds.flatMap(({ made, workerId, epoch, heldAt, endedAt }) => {
    const site = siteOf(workerId, epoch);
    const taken = told.reclaims.find((one) => one.site === site && one.at > heldAt);
    const until = Math.min(endedAt, made.settledAt, taken?.at ?? Infinity);
    return begun.flatMap(({ number, pid, stamp }) => {
      const call = calls[number];
      if (call === undefined || call.checkout === made.number) return [];
      if (told.pids.get(pid) !== site) return [];
      return stamp > heldAt && stamp < until
        ? [`${describe(call)} ran on ${workerId}, which ${describe(made)} held`]
        : [];
    });
  });
}

/** The clients' counts and the pool's; of a stream that was left nobody heard what became of it. */
function checkBooks({ calls, statistics }: Run): readonly string[] {
  const { counters, gauges } = statistics;
  const { accepted, completed, failed, cancelled, refused } = counters;
  const refusedCount = Object.values(refused).reduce((sum, count) => sum + count, 0);
  const aborted = refused['aborted'] ?? 0;
  const count = (is: (made: Made) => boolean): number => calls.filter(is).length;
  const isAborted = ({ fate }: Made): boolean =>
    fate.type === 'failed' && fate.error.code === 'aborted';
  const slack = count(({ fate }) => fate.type === 'left');
  const pairs = [
    ['completed', completed, count(({ fate }) => fate.type === 'completed'), slack],
    ['cancelled', cancelled + aborted, count(isAborted), slack],
    [
      'failed or refused',
      failed + refusedCount - aborted,
      count((made) => made.fate.type === 'failed' && !isAborted(made)),
      slack,
    ],
    ['all', accepted + refusedCount, calls.length, 0],
  ] as const;
  const found = pairs.flatMap(([what, ofPool, ofClients, more]) => {
    const isEqual = ofPool >= ofClients && ofPool <= ofClients + more;
    return isEqual ? [] : [`${what}: ${ofPool} by the pool, ${ofClients} by its callers`];
  });
  const { queued, running } = gauges;
  if (queued !== 0 || running !== 0)
    found.push(`${queued} queued and ${running} running at its end`);
  if (accepted !== completed + failed + cancelled) found.push('what was accepted has not ended');
  return found;
}
