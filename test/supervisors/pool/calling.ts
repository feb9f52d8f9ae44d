// How does a test call a scripted pool and look at what became of each call?
import { LIMITS } from '../../../actors/ground/limits.ts';
import {
  fateOf,
  microtasks,
  request,
  scriptedPool,
  type Fate,
} from '../../support/scripted-pool.ts';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { PoolOptions } from '../../../supervisors/pool/pool-options.ts';
import type { ScriptedPython } from '../../support/scripted-python.ts';
import type { CallMessage, ScriptedProcess, WorldOptions } from '../../support/scripted-world.ts';

/** Until a worker is condemned whose call nothing else ends. */
export const STAGES_MS = LIMITS.cancelFlagMs + LIMITS.cancelRaiseMs + LIMITS.cancelInterruptMs;

/** A running pool. `call` does not wait; `done` lets the world act and then gives the fates. */
export function pooled(
  options: PoolOptions = {},
  world: Partial<WorldOptions & ScriptedPython> = {},
) {
  const setup = scriptedPool({ size: 1, ...options }, world);
  setup.advance(0);
  const call = (
    op: string,
    args: Readonly<Record<string, unknown>> = {},
    more: Partial<CallRequest> = {},
  ): Fate => fateOf(setup.pool.call(request(op, args, more)));
  /** Everything that takes no time: also the restart of what has crashed. */
  const done = async (): Promise<void> => {
    setup.advance(0);
    await microtasks();
  };
  /** Virtual time: nothing sleeps. */
  const pass = async (ms: number): Promise<void> => {
    setup.advance(ms);
    await microtasks();
  };
  return {
    ...setup,
    ...{ call, done, pass },
    /** The loop of one process, where the world is a model of Python's. */
    python: (pid: number) => world.loopOf!(setup.world.processes[pid - 1]!),
    settle: (choose?: () => number) => setup.settle(choose),
    stop: () => setup.stop(),
  };
}

/** A fate in one word or two: its value, its code, or that it is still open. */
export function shown(fate: Fate): unknown {
  switch (fate.state) {
    case 'resolved':
      return fate.value;
    case 'rejected':
      return [fate.error?.code, fate.error?.outcome].join(' ').trim();
    case 'pending':
      return fate.state;
    default:
      return fate.state satisfies never;
  }
}

export const inSession = (sessionId: string): Partial<CallRequest> => ({ sessionId });

/** A worker that knows what it was told to create; for tests that answer some calls in their own way. */
export function remember(process: ScriptedProcess, { id, op, args, session }: CallMessage): void {
  const known = process.known.get(session ?? '') ?? new Set();
  process.known.set(session ?? '', known);
  const key = String(args['id']);
  if (op === 'create') known.add(key);
  if (op === 'delete') known.delete(key);
  if (op === 'exit') process.exit(9, null);
  else if (op === 'use' && !known.has(key)) process.fail(id, 'program_not_found');
  else if (op !== 'hang') process.reply(id, op);
}
