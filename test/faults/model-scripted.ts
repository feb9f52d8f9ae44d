// How is a plan played under virtual time? The real pool over scripted workers; every fact waits until it is chosen, and between two of them promises tell their fate.
import { BridgeHandle } from '../../src/bridge-handle.ts';
import type { ProcessReading } from '../../actors/port/host.ts';
import { scriptedPool, type ScriptedPool } from '../support/scripted-pool.ts';
import type { StartScript } from '../support/scripted-world.ts';
import { modelPython, type Notebook } from './model-python.ts';
import type { Plan } from './model-plan.ts';
import {
  adapterOf,
  POOL,
  poolOptionsOf,
  type Execution,
  type Incarnation,
  type Target,
  type Tempo,
} from './model-target.ts';

const TEMPO: Tempo = {
  ...{ quickMs: 0, slowMs: 300, ampleMs: 60_000, tightMs: 150 },
  spans: { blink: 40, moment: 700, while: 9_000 },
  // Taking a call back takes its time.
  ...{
    lateMsMax: 400,
    recoveryMs: 400_000,
    idleMs: 5_000,
    heartbeatMs: 5_000,
    breakerMs: 3_000,
    drainMs: 60_000,
  },
};

/** Turns of the microtask queue after which the chain of promises of one call is done. */
const MICROTASKS = 8;
const ONE_READING: Omit<ProcessReading, 'state'> = {
  ...{ cpuMs: 0, startTicks: 1, parentPid: 1, groupId: 1, sessionId: 1, threads: 2, rssBytes: 1 },
};

export function scriptedTarget(plan: Plan): Target {
  let [stamp, badStarts] = [0, 0];
  const executions: Execution[] = [];
  const nextStamp = (): number => (stamp += 1);
  const notes: Notebook = { clock: () => sim.clock, stamp: nextStamp, executions };
  const nextStart = (): StartScript => {
    if (badStarts <= 0) return { type: 'ready' };
    badStarts -= 1;
    return { type: 'exits_before_hello', status: 1 };
  };
  const readProcess = (pid: number): ProcessReading | undefined => {
    const process = sim.world.processes[pid - 1];
    if (process?.isAlive !== true) return undefined;
    return { ...ONE_READING, state: process.isFrozen ? 'stopped' : 'sleeping' };
  };
  const adapter = adapterOf(plan);
  const sim: ScriptedPool = scriptedPool(
    poolOptionsOf(plan, TEMPO),
    { nextStart, ...modelPython(notes, plan.options.concurrency) },
    { host: { readProcess, countOpenFiles: () => undefined }, operations: adapter.roles },
  );
  const ids = { next: (prefix: string) => `${prefix}_1`, nonce: () => 'nonce' };
  const { pool, clock } = sim;
  const bridge = new BridgeHandle({ name: POOL, adapter, pool, ports: { ids, clock } });
  const steps = stepper(sim, [...plan.schedule]);
  return {
    ...{ bridge, tempo: TEMPO, stamp: nextStamp, executions: () => executions },
    on: (name, listener) => sim.bus.on(name, listener),
    nowMs: () => sim.clock.nowMs(),
    workers: () => workersOf(sim),
    hurt: (how, { pid }) => {
      const process = sim.world.processes[pid - 1];
      if (how === 'kill') process?.exit(null, 'SIGKILL');
      else process?.freeze();
    },
    failStarts: (count) => void (badStarts = count),
    ...steps,
    close: () => close(sim, steps.settle),
  };
}

function workersOf({ pool, world }: ScriptedPool): readonly Incarnation[] {
  return (pool.supervisor?.children() ?? []).flatMap(({ ref, epoch, pid, state }) => {
    if (pid === undefined || world.processes[pid - 1]?.isAlive !== true) return [];
    return [{ path: ref.path, epoch, pid, state }];
  });
}

interface Stepper extends Pick<Target, 'rest' | 'deliver' | 'pass' | 'until'> {
  readonly settle: () => Promise<void>;
}

function stepper({ world, clock }: ScriptedPool, choices: number[]): Stepper {
  const choose = (): number => choices.shift() ?? 0;
  const rest = async (): Promise<void> => {
    for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
  };
  const step = async (): Promise<boolean> => {
    const had = world.step(choose()) || clock.poll();
    await rest();
    return had;
  };
  const settle = async (): Promise<void> => {
    while (await step());
  };
  const pass = async (ms: number): Promise<void> => {
    await settle();
    const untilMs = clock.nowMs() + ms;
    for (let next = clock.nextAtMs(); next <= untilMs; next = clock.nextAtMs()) {
      clock.advance(next - clock.nowMs(), () => undefined);
      await settle();
    }
    clock.advance(untilMs - clock.nowMs(), () => undefined);
    await settle();
  };
  return {
    ...{ rest, settle, pass },
    deliver: async (facts) => {
      for (let n = 0; n < facts; n += 1) await step();
    },
    until: async (fact, withinMs) => {
      const untilMs = clock.nowMs() + withinMs;
      await settle();
      while (!fact()) {
        const next = clock.nextAtMs();
        if (next > untilMs) return false;
        await pass(next - clock.nowMs());
      }
      return true;
    },
  };
}

/** How long a pool may take to stop. */
const STOP_MS = 60_000;

async function close(sim: ScriptedPool, settle: () => Promise<void>): Promise<readonly string[]> {
  sim.pool.close();
  sim.root.stop('infinity', { type: 'shutdown' });
  await settle();
  for (let left = STOP_MS; left > 0 && sim.clock.pending > 0; left -= 1_000) {
    sim.clock.advance(1_000, () => undefined);
    await settle();
  }
  const living = sim.world.processes.filter(({ isAlive }) => isAlive).map(({ pid }) => pid);
  return [
    ...(sim.exitReason()?.type === 'shutdown' ? [] : ['the root has not ended by its shutdown']),
    ...living.map((pid) => `process ${pid} is left`),
    ...(sim.clock.pending === 0 ? [] : [`${sim.clock.pending} timers are left`]),
    ...sim.world.callsToTheDead.map(({ op }) => `a call of ${op} was written to the dead`),
  ];
}
