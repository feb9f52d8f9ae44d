// What do ten thousand supervised actors cost, beyond ten times what a thousand cost?
import { setup, type AnyActorLogic } from 'xstate';

import { startDynamicSupervisor, System, type ActorRef } from '../../src/otp.ts';
import { ascending, median, percentile, round, type Benchmark, type Outcome } from './row.ts';

/** An ordinary small machine that can be told to crash. */
const plain: AnyActorLogic = setup({
  types: { events: {} as { readonly type: 'crash' } },
}).createMachine({
  on: {
    crash: {
      actions: () => {
        throw new Error('told to');
      },
    },
  },
});

interface Plan {
  readonly children: number;
  /** So many crash in one turn. */
  readonly crashes: number;
}

const LARGE: Plan = { children: 10_000, crashes: 1_000 };
const SMALL: Plan = { children: 1_000, crashes: 100 };

/** Times of one round, in ms. */
interface Round {
  readonly startMs: number;
  readonly recoverMs: number;
  readonly stopMs: number;
}

const ROUNDS = 7;
const QUICK_ROUNDS = 1;
const MICROSECONDS = 1_000;

const supervise: Benchmark = {
  id: 'supervise.10k',
  question:
    '10 000 plain actors under one dynamic supervisor: start, crash 1 000 at once, recover, stop: time ÷ that of 1 000 (crash 100)',
  unit: '× the time of 1 000',
  must: 15,
  aim: 10,
  run: async (thoroughness) => {
    await life(SMALL);
    await life(LARGE);
    const small: Round[] = [];
    const large: Round[] = [];
    const rounds = thoroughness === 'quick' ? QUICK_ROUNDS : ROUNDS;
    for (let turn = 0; turn < rounds; turn += 1) {
      // The small one is measured as often as makes the same number of actors, so that both meet the same garbage.
      for (let again = 0; again < LARGE.children / SMALL.children; again += 1) {
        small.push(await life(SMALL));
      }
      large.push(await life(LARGE));
    }
    return outcomeOf(small, large);
  },
};

export const SUPERVISE_BENCHMARKS: readonly Benchmark[] = [supervise];

async function life({ children, crashes }: Plan): Promise<Round> {
  const system = new System();
  const beginMs = performance.now();
  const supervisor = await startDynamicSupervisor({ maxRestarts: crashes }, { system });
  const started = await Promise.all(
    Array.from({ length: children }, () => supervisor.startChild({ start: plain })),
  );
  const startedMs = performance.now();
  const refs = started.map((answer) => refOf(answer));
  for (const ref of refs.slice(0, crashes)) ref.send({ type: 'crash' });
  const { active } = await supervisor.countChildren();
  const recoveredMs = performance.now();
  if (active !== children || refs[0]?.exitReason === undefined) throw new Error('not recovered');
  await supervisor.stop();
  const stoppedMs = performance.now();
  return {
    startMs: startedMs - beginMs,
    recoverMs: recoveredMs - startedMs,
    stopMs: stoppedMs - recoveredMs,
  };
}

function refOf(answer: 'ignore' | { readonly child: ActorRef | undefined }): ActorRef {
  if (answer === 'ignore' || answer.child === undefined) throw new Error('a child is missing');
  return answer.child;
}

function outcomeOf(small: readonly Round[], large: readonly Round[]): Outcome {
  const whole = ascending(large.map(wholeMs));
  const perChildUs = whole.map((ms) => (ms * MICROSECONDS) / LARGE.children);
  return {
    value: round(median(whole) / median(small.map(wholeMs))),
    n: whole.length * LARGE.children,
    p50: round(median(perChildUs)),
    p99: round(percentile(perChildUs, 0.99)),
    detail: {
      p50IsOf: 'one actor’s whole life: start, perhaps a crash and a restart, stop',
      ms10k: medians(large),
      ms1k: medians(small),
      rounds: { large: large.length, small: small.length },
      node: process.version,
    },
  };
}

function wholeMs({ startMs, recoverMs, stopMs }: Round): number {
  return startMs + recoverMs + stopMs;
}

function medians(rounds: readonly Round[]): Readonly<Record<keyof Round, number>> {
  return {
    startMs: round(median(rounds.map(({ startMs }) => startMs))),
    recoverMs: round(median(rounds.map(({ recoverMs }) => recoverMs))),
    stopMs: round(median(rounds.map(({ stopMs }) => stopMs))),
  };
}
