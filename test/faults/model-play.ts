// How does one play go, from the first step until the faults have ended and all is as it was promised?
import { complaintsOf } from './model-check.ts';
import type { Plan } from './model-plan.ts';
import { Player } from './model-player.ts';
import type { Made, Run, Told } from './model-run.ts';
import type { Target } from './model-target.ts';
import { noteExecutions, watch, watchCapacity } from './model-watch.ts';

/** Sessions of the plans. */
const SESSIONS = ['s0', 's1', 's2'] as const;

interface Stage {
  readonly plan: Plan;
  readonly target: Target;
  readonly player: Player;
  readonly told: Told;
}

/** What a play has shown. */
export interface Played {
  readonly complaints: readonly string[];
  /** Facts of interest that came about. */
  readonly seen: ReadonlySet<string>;
  readonly run: Run;
}

/** Play a plan, end the faults, and judge what was seen. Stops the target. */
export async function play(plan: Plan, target: Target): Promise<Played> {
  const complaints: string[] = [];
  const told = watch(target);
  const player = new Player(target, plan, told);
  const isCalm = plan.kind === 'calm';
  const endWatch = isCalm
    ? watchCapacity(target, plan.options, told, () => player.isResizing)
    : () => undefined;
  const imbalances = new Set<string>();
  try {
    for (const step of plan.steps) {
      await player.play(step);
      await target.rest();
      checkSum(target, step.type, imbalances);
    }
    player.tidyUp();
    complaints.push(...(await recover({ plan, target, player, told })));
    checkSum(target, 'the end', imbalances);
  } finally {
    // Whatever was thrown, nothing may be left.
    endWatch();
    complaints.push(...(await target.close()));
  }
  const executions = target.executions();
  const { calls, holds, orders } = player;
  noteExecutions(executions, calls, told);
  const run: Run = {
    ...{ plan, calls, holds, orders, told, executions, tempo: target.tempo },
    complaints: [...complaints, ...imbalances],
    statistics: target.bridge.statistics(),
  };
  return { complaints: complaintsOf(run), seen: new Set([...told.seen, ...countedBy(run)]), run };
}

/** What the pool says that it has done. */
function countedBy({ statistics }: Run): readonly string[] {
  const { recycled, ...counters } = statistics.counters;
  const counts: Readonly<Record<string, unknown>> = { ...counters, recycled: recycled.calls };
  return Object.keys(counts).filter((name) => Number(counts[name]) > 0);
}

/** The books at this moment. */
function checkSum({ bridge }: Target, when: string, found: Set<string>): void {
  const { counters, gauges } = bridge.statistics();
  const { accepted, completed, failed, cancelled } = counters;
  const sum = completed + failed + cancelled + gauges.queued + gauges.running;
  if (sum !== accepted) found.add(`at ${when} ${accepted} were accepted, and ${sum} are somewhere`);
  if (gauges.queued < 0 || gauges.running < 0)
    found.add(`at ${when} fewer than no calls are there`);
}

/** No fault comes any more: every call ends, the pool has its workers again, and its sessions are what they were. @returns what is not so. */
async function recover({ plan, target, player, told }: Stage): Promise<readonly string[]> {
  const { bridge, tempo } = target;
  const found: string[] = [];
  const becomes = async (what: string, fact: () => boolean): Promise<void> => {
    if (await target.until(fact, tempo.recoveryMs)) return;
    const { state, size, gauges } = bridge.statistics();
    found.push(`${what} does not come about: ${JSON.stringify({ state, size, gauges })}`);
  };
  await becomes('the end of all calls', () => player.openCount === 0);
  // What nobody has noticed yet would meet the last calls.
  await becomes('the end of who was hurt', () =>
    [...told.injected.keys()].every((site) => told.leftAt.has(site)),
  );
  const { state } = bridge.statistics();
  // Without a breaker nobody else starts it again.
  if (state === 'stopped' || (state === 'failed' && plan.options.breaker === 'off')) player.start();
  await becomes('serving', () => bridge.statistics().state === 'serving');
  await becomes('a pool with all its workers', () => isWhole(plan, target));
  await becomes('a breaker that lets calls through', () =>
    ['closed', 'half_open', 'none'].includes(bridge.statistics().gauges.breaker),
  );
  await probe(target, player, becomes);
  found.push(...unanswered(player));
  return found;
}

function isWhole({ options }: Plan, { bridge }: Target): boolean {
  const { size, gauges } = bridge.statistics();
  const { idle, starting, retiring, leaving, busy, held } = gauges;
  const others = starting + retiring + leaving + busy + held;
  if (options.autoscale === 'on' && (size < 1 || size > options.size + 1)) return false;
  // A session that can be nowhere else keeps its worker, also one that is beyond the size.
  const mayBeMore = options.onSessionLoss === 'fail';
  return (mayBeMore ? idle >= size : idle === size) && others === 0;
}

/** A call in each scope, one after the other: what the scope holds by now is judged with all other calls. */
async function probe(
  target: Target,
  player: Player,
  becomes: (what: string, fact: () => boolean) => Promise<void>,
): Promise<void> {
  const isOver = (): boolean => player.openCount === 0;
  for (const session of [undefined, ...SESSIONS]) {
    const { fate } = await probed(session);
    if (session === undefined || fate.type !== 'failed') continue;
    if (fate.error.code !== 'session_lost') continue;
    player.endSession(session);
    await becomes(`the end of ${session}`, isOver);
    await probed(session);
  }
  await target.rest();

  async function probed(session: string | undefined): Promise<Made> {
    const made = player.probe('look', session);
    await becomes(`the last answer of ${session ?? 'nobody'}`, isOver);
    return made;
  }
}

/** Probes that were not answered, now that nothing is wrong. */
function unanswered({ calls }: Player): readonly string[] {
  return calls.flatMap(({ kind, fate, session }) => {
    if (kind !== 'probe' || fate.type !== 'failed') return [];
    return fate.error.code === 'session_lost'
      ? []
      : [`a call of ${String(session)} failed in the end: ${fate.error.message}`];
  });
}

/** For people: the plan, and what every call came to. */
export function report({ complaints, run }: Played): string {
  const shown = complaints.slice(0, 12);
  return [...shown, `plan: ${JSON.stringify(run.plan)}`].join('\n');
}
