// What do the rows of pools stand on? A pool over one small bridge, and the same worker with no pool around it.
import { join } from 'node:path';

import {
  createRuntime,
  defineAdapter,
  type BridgeHandle,
  type PoolOptions,
} from '../../src/index.ts';
import { pythonWorker, startSupervisor } from '../../src/otp.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { lifecycleStart } from '../../actors/lifecycle/child.ts';
import { encodeValue } from '../../actors/port/codec.ts';
import type { Worker } from '../../actors/worker/worker-types.ts';
import { benchFolder, projectPython } from './stage.ts';

const NAME = 'pool';
const SCRIPT = join(benchFolder(), 'pool_bridge.py');

const adapter = defineAdapter({
  framework: NAME,
  operations: {
    echo: {},
    // The last one counts: a journal of one entry, written anew by each call.
    keep: { change: 'configure' },
    nap: {},
    naps: {},
  },
});

/** A bridge in a running runtime. `await using` stops it. */
export interface PoolStage extends AsyncDisposable {
  readonly bridge: BridgeHandle;
}

export async function openPool(pool: PoolOptions): Promise<PoolStage> {
  const bridge = { adapter, scriptPath: SCRIPT, pool, python: projectPython() };
  const runtime = await createRuntime({ logger: false, bridges: { [NAME]: bridge } });
  return {
    bridge: runtime.pool(NAME),
    [Symbol.asyncDispose]: async () => {
      await runtime.stop();
    },
  };
}

/** A worker that is sent its calls directly: no deadline, no queue, no session, no journal. */
export interface BareWorker extends AsyncDisposable {
  readonly call: (op: string, args: object) => Promise<unknown>;
  readonly pid: number | undefined;
}

export async function openBareWorker(): Promise<BareWorker> {
  const made = pythonWorker({ script: SCRIPT, python: projectPython() });
  let worker: Worker | undefined;
  const start = lifecycleStart('worker', (ports) => (order) => {
    const child = made.make(ports)(order);
    worker = child as Worker;
    return child;
  });
  const supervisor = await startSupervisor({ children: [{ id: NAME, start }] });
  if (worker === undefined) throw new Error('the bare worker is not there');
  const { send, pid } = { send: worker.send.bind(worker), pid: worker.pid };
  return {
    pid,
    call: (op, args) =>
      new Promise((resolve, reject) => {
        const encoded = encodeValue(args, 'args');
        const message = { op, args: encoded, deadlineMs: LIMITS.callTimeoutMs, session: null };
        send(message, (outcome) => {
          if (outcome.type === 'replied' && outcome.reply.ok) resolve(outcome.reply.result);
          else reject(new Error(`the bare worker: ${outcome.type}`));
        });
      }),
    [Symbol.asyncDispose]: async () => {
      await supervisor.stop();
    },
  };
}
