// How does a test get one real worker over a scripted process under virtual time?
import { Bus, type BusEvents } from '../../../actors/ground/bus.ts';
import type { ChildFact } from '../../../actors/lifecycle/child.ts';
import type { Host } from '../../../actors/port/host.ts';
import type { Spawner } from '../../../actors/port/launcher.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { noGuard } from '../../../actors/port/run-guard.ts';
import type { Transport } from '../../../actors/port/transport.ts';
import type { CallHandlers, SentOutcome } from '../../../actors/worker/pending-calls.ts';
import type { SentCall, Worker } from '../../../actors/worker/worker-types.ts';
import { workerStart } from '../../../actors/worker/worker.ts';
import {
  ScriptedWorld,
  type StartScript,
  type WorldOptions,
} from '../../support/scripted-world.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

interface Given {
  readonly script?: StartScript;
  readonly world?: Partial<WorldOptions>;
  readonly spawner?: (world: ScriptedWorld) => Spawner;
  readonly transport?: (world: ScriptedWorld) => Transport;
  readonly host?: Partial<Host>;
}

/** One real worker over a scripted process; `log` holds all that it told, in order. */
export function oneWorker(given: Given = {}) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const world = new ScriptedWorld({
    nextStart: () => given.script ?? { type: 'ready' },
    onCall: (process, call) => {
      if (call.op === 'echo') process.reply(call.id, call.args);
      if (call.op === 'exit') process.exit(9, null);
    },
    ...given.world,
  });
  const log: string[] = [];
  const facts: ChildFact[] = [];
  const dropped: BusEvents['reply.dropped'][] = [];
  const scratches = new Set<string>();
  bus.on('reply.dropped', (event) => dropped.push(event));
  let nonces = 0;
  const worker = workerStart(
    {
      spawn: { command: 'python', args: [], env: {} },
      bridge: { framework: 'p', module: 'scripted' },
      startTimeoutMs: 60_000,
      makeScratch: (path) => {
        scratches.add(path);
        return { path, remove: () => scratches.delete(path) };
      },
      watcher: {
        workerReady: () => log.push('watcher: ready'),
        workerUnavailable: () => log.push('watcher: unavailable'),
      },
    },
    {
      ...{ clock, bus, guard: noGuard },
      host: { readProcess: () => undefined, countOpenFiles: () => undefined, ...given.host },
      ids: { next: (prefix) => prefix, nonce: () => `nonce-${(nonces += 1)}` },
      spawner: given.spawner?.(world) ?? world,
      transport: given.transport?.(world) ?? world,
    },
  )({
    ...{ id: '0', path: 'p/0', epoch: 1 },
    listener: (fact) => {
      facts.push(fact);
      log.push(fact.type);
    },
  }) as Worker;
  const settle = (): void => {
    while (world.step() || clock.poll());
  };
  const outcomes: SentOutcome[] = [];
  const send = (
    op: string,
    args: object = {},
    handlers?: CallHandlers,
    more: Partial<SentCall> = {},
  ): number =>
    worker.send(
      { op, args: encodeValue(args, 'args'), session: null, deadlineMs: 5_000, ...more },
      (outcome) => {
        outcomes.push(outcome);
        log.push(`call: ${outcome.type}`);
      },
      handlers,
    );
  return {
    ...{ clock, bus, world, worker, log, facts, dropped, scratches, outcomes, settle, send },
    advance: (ms: number) => clock.advance(ms, settle),
    process: () => world.processes.at(-1)!,
  };
}

/** The same, ready, with nothing told yet. */
export function readyWorker(given: Given = {}) {
  const setup = oneWorker(given);
  setup.settle();
  setup.log.length = 0;
  return setup;
}
