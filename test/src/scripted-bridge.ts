// How does a test call a bridge whose Python is a model? The real façade and pool, over scripted processes under virtual time.
import { BridgeHandle } from '../../src/bridge-handle.ts';
import type { Adapter } from '../../src/index.ts';
import type { Callbacks } from '../../src/calls/callbacks.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import { fateOf, type Fate } from '../support/scripted-pool.ts';
import { scriptedPython, type ScriptedPython } from '../support/scripted-python.ts';
import type { WorldOptions } from '../support/scripted-world.ts';
import { pooled } from '../supervisors/pool/calling.ts';

/** Enough for a callback that awaits something, makes a call and answers. */
const ROUNDS = 12;

interface Given {
  readonly callbacks?: Callbacks;
  readonly adapter?: Partial<Adapter>;
  readonly options?: PoolOptions;
  readonly world?: Partial<WorldOptions & ScriptedPython>;
}

export function scriptedBridge({ callbacks, adapter, options, world }: Given = {}) {
  const setup = pooled(options, { ...scriptedPython(), ...world });
  const { pool, clock } = setup;
  const ports = { ids: { next: () => 'id', nonce: () => 'nonce' }, clock };
  const handle = new BridgeHandle({
    name: 'p',
    adapter: { framework: 'f', operations: {}, ...adapter },
    ...{ pool, ports, callbacks },
  });
  /** Let the world and all promises go on as far as they can without time. */
  const rounds = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) await setup.done();
  };
  const pass = async (ms: number): Promise<void> => {
    await setup.pass(ms);
    await rounds();
  };
  const call = (...given: Parameters<BridgeHandle['call']>): Fate => fateOf(handle.call(...given));
  return { ...setup, handle, call, rounds, pass, process: () => setup.world.processes.at(-1)! };
}
