// A program whose sessions outlive it: it begins one, or goes on with one that another process has begun, tells on stdout what it sees (JSON lines), and waits for its end.
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';

import {
  createRuntime,
  dspy,
  isCaduceusError,
  keyvStore,
  secret,
  sqliteStore,
  type SessionStore,
} from '../../src/index.ts';
import { poolAdapter } from '../support/pool-adapters.ts';

/** What the test orders, as JSON in the first argument. */
export interface DurableOrder {
  readonly phase: 'begin' | 'go on';
  readonly bridge: 'pool' | 'dspy';
  readonly sqlite?: string | undefined;
  /** The server's socket. */
  readonly redis?: string | undefined;
  readonly python: string;
  readonly scriptPath: string;
  readonly modelUrl: string;
  readonly secrets: Readonly<Record<string, string>>;
}

const order = JSON.parse(process.argv[2] ?? '{}') as DurableOrder;
const ALICE = { sessionId: 'alice' };
const tell = (what: string, value: unknown): void =>
  void process.stdout.write(`${JSON.stringify([what, value])}\n`);

function store(): SessionStore {
  if (order.sqlite !== undefined) return sqliteStore(order.sqlite);
  const socket = { path: order.redis ?? '', tls: false };
  return keyvStore(new Keyv(new KeyvRedis({ socket }), { namespace: 'durable' }));
}

const runtime = await createRuntime({
  python: order.python,
  logger: false,
  bridges:
    order.bridge === 'dspy'
      ? { dspy: { adapter: dspy(), pool: { size: 1, overflow: 0 } } }
      : { pool: { adapter: poolAdapter, scriptPath: order.scriptPath, pool: { size: 1 } } },
  store: store(),
  secrets: order.secrets,
});

async function begin(): Promise<void> {
  if (order.bridge === 'dspy') {
    const config = { model: 'openai/local', apiBase: order.modelUrl };
    await runtime.ml.configure('dspy', { ...config, apiKey: secret('MODEL_KEY') });
    const program = { id: 'mine', signature: 'question -> answer' };
    tell('begun', await runtime.ml.createProgram(program, ALICE));
    return;
  }
  const pool = runtime.pool('pool');
  await pool.call('setup', { level: 3, api_key: secret('MODEL_KEY') });
  await pool.call('put', { id: 'n', value: 1 }, ALICE);
  await pool.call('put', { id: 'gone', value: Buffer.from('bytes') }, ALICE);
  await pool.call('put', { id: 'kept', value: Uint8Array.of(1, 2, 3) }, ALICE);
  await pool.call('drop', { id: 'gone' }, ALICE);
  tell('begun', await pool.call('add', { id: 'n', by: 2 }, ALICE));
}

async function goOn(): Promise<void> {
  if (order.bridge === 'dspy') {
    const { answer } = await runtime.ml.execute('mine', { question: 'What is 6 * 7?' }, ALICE);
    tell('answer', answer);
    return;
  }
  const pool = runtime.pool('pool');
  tell('n', await pool.call('get', { id: 'n' }, ALICE));
  tell('kept', [...((await pool.call('get', { id: 'kept' }, ALICE)) as Uint8Array)]);
  tell('gone', await pool.call('get', { id: 'gone' }, ALICE));
  tell('seen', await pool.call('seen', {}, ALICE));
  tell('settings', await pool.call('settings', {}, ALICE));
  // What is done now is as durable as what was done then.
  tell('more', await pool.call('add', { id: 'n', by: 10 }, ALICE));
}

try {
  await (order.phase === 'begin' ? begin() : goOn());
  tell('over', null);
} catch (error) {
  if (!isCaduceusError(error)) throw error;
  const cause = isCaduceusError(error.cause) ? error.cause.code : undefined;
  tell('error', { code: error.code, cause, message: error.message });
}
