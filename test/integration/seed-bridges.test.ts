// Do the bridges that the ported design prints run on the libraries of today: as workers, as version 1 over our own base class, and by hand?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  type BridgeConfig,
  type BridgeHandle,
  type Runtime,
} from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { fixture, PYTHON, rejection } from '../support/real-runtime.ts';

const PYTHON_SOURCES = path.join(import.meta.dirname, '..', '..', 'python', 'src');
/** The longest time for a bridge that is run by hand. */
const DEADLINE_MS = 30_000;
/** A framework is imported at the start, and the first call brings in more of it. */
const FRAMEWORK_MS = 90_000;

const anything = defineAdapter({ framework: 'seed', operations: {} });

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

/** As a worker of today, or by version 1 with nothing but our base class on its path. */
const WIRES: readonly (readonly [string, Partial<BridgeConfig>])[] = [
  ['as a worker', {}],
  ['by version 1', { protocol: 'v1', env: { PYTHONPATH: PYTHON_SOURCES } }],
];

async function start(script: string, more: Partial<BridgeConfig>): Promise<BridgeHandle> {
  runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: {
      seed: {
        ...{ adapter: anything, scriptPath: fixture(`seed/${script}`) },
        pool: { size: 1, startTimeoutMs: FRAMEWORK_MS },
        ...more,
      },
    },
  });
  return runtime.pool('seed');
}

describe('the listing', () => {
  const seed = (name: string): string => readFileSync(fixture(`seed/${name}`), 'utf8');
  /** Byte for byte, by its hash: `legacy-printed.test.ts`. */
  const printed = (name: string): string => readFileSync(fixture(`legacy/${name}`), 'utf8');
  const ADDED = /^ *# \[added\]\n[\s\S]*?^ *# \[end of added\]\n/gmu;
  const GONE = /^from langchain\.(?:llms|chains|prompts) import .*\n/gmu;

  it('is here byte for byte where nothing is left out', () => {
    expect(seed('my_ml_bridge.py')).toBe(printed('my_ml_bridge.py'));
  });

  it.each(['dspy_bridge.py', 'langchain_bridge.py', 'custom_ml_bridge.py'])(
    'is here with what it left out, and nothing else, added: %s',
    (name) => {
      const found = seed(name);
      expect(found).toContain('# [added]');
      expect(found.replaceAll(ADDED, '')).toBe(
        printed(name).replaceAll(ADDED, '').replaceAll(GONE, ''),
      );
    },
  );
});

describe.each(WIRES)('MyMLBridge %s', (_name, wire) => {
  it('answers its operation, and those that every bridge has', async () => {
    const bridge = await start('my_ml_bridge.py', wire);
    const framework = { name: 'my_ml', version: '1.0.0', capabilities: ['custom_ops'] };
    expect(await bridge.call('my_operation', { data: 'test' })).toEqual({ result: 'success' });
    expect(await bridge.call('ping')).toMatchObject({
      ...{ status: 'ok', mode: 'pool-worker', worker_id: 'seed/0', framework },
    });
    expect(await bridge.call('get_stats')).toMatchObject({ error_count: 0, framework });
    expect(await bridge.call('get_capabilities')).toMatchObject({
      supported_operations: ['ping', 'get_stats', 'shutdown', 'get_capabilities', 'my_operation'],
      operations: {},
    });
    expect((await rejection(bridge.call('no_such_thing'))).message).toContain('no_such_thing');
    // A session's name travels by version 1 as an argument, which a table of handlers may use.
    const inSession = bridge.call('my_operation', {}, { sessionId: 'alice' });
    expect(await inSession).toEqual({ result: 'success' });
  });
});

describe.each(WIRES)('CustomMLBridge %s', (_name, wire) => {
  it(
    'trains, predicts and evaluates with scikit-learn',
    async () => {
      const bridge = await start('custom_ml_bridge.py', wire);
      await bridge.call('load_model', { id: 'm' });
      expect(await bridge.call('train', { id: 'm', dataset: 'iris' })).toEqual({
        ...{ model_id: 'm', rows: 150 },
      });
      const inputs = [[5.1, 3.5, 1.4, 0.2]];
      expect(await bridge.call('predict', { id: 'm', inputs })).toEqual({ predictions: [0] });
      const { accuracy } = (await bridge.call('evaluate', { id: 'm', dataset: 'iris' })) as {
        readonly accuracy: number;
      };
      expect(accuracy).toBeGreaterThan(0.9);
      const unknown = await rejection(bridge.call('predict', { id: 'n', inputs }));
      expect(unknown.message).toContain('Model not found: n');
    },
    FRAMEWORK_MS,
  );
});

describe('over a model', () => {
  let model: LocalModel;
  beforeEach(async () => {
    model = await startLocalModel();
  });
  afterEach(() => model.close());

  describe.each(WIRES)('DSPyBridge %s', (_name, wire) => {
    it(
      'runs a program',
      async () => {
        const bridge = await start('dspy_bridge.py', wire);
        await bridge.call('configure_lm', {
          ...{ model: 'openai/local', api_base: model.baseUrl, api_key: 'not-needed' },
        });
        await bridge.call('create_program', { id: 'qa', signature: 'question -> answer' });
        const inputs = { question: 'What is 17 * 23?' };
        const answer = await bridge.call('execute_program', { program_id: 'qa', inputs });
        expect((answer as { outputs: { answer: string } }).outputs.answer).toContain('391');
        expect(await bridge.call('list_programs')).toEqual({ programs: ['qa'] });
        await bridge.call('delete_program', { program_id: 'qa' });
        const gone = await rejection(bridge.call('execute_program', { program_id: 'qa', inputs }));
        expect(gone.message).toContain('Program not found: qa');
      },
      FRAMEWORK_MS,
    );
  });

  describe.each(WIRES)('LangChainBridge %s', (_name, wire) => {
    it(
      'runs a chain and an agent',
      async () => {
        const env = { ...wire.env, OPENAI_API_BASE: model.baseUrl };
        const bridge = await start('langchain_bridge.py', { ...wire, env });
        expect(await bridge.call('configure_llm', { api_key: 'not-needed' })).toEqual({
          ...{ status: 'configured', model_type: 'openai', model_name: 'gpt-3.5-turbo' },
        });
        const template = 'Answer this question: {question}';
        const chain = { id: 'qa', template, input_variables: ['question'] };
        expect(await bridge.call('create_chain', chain)).toMatchObject({ chain_id: 'qa' });
        const inputs = { question: 'What is 17 * 23?' };
        const ran = await bridge.call('run_chain', { chain_id: 'qa', inputs });
        expect((ran as { result: string }).result).toContain('391');
        await bridge.call('create_agent', { id: 'helper' });
        const asked = { agent_id: 'helper', input: 'What is 6 * 7?' };
        const answered = await bridge.call('run_agent', asked);
        expect((answered as { result: string }).result).toContain('42');
        expect(await bridge.call('list_chains')).toEqual({ chains: ['qa'] });
        await bridge.call('delete_chain', { chain_id: 'qa' });
        const gone = await rejection(bridge.call('run_chain', { chain_id: 'qa', inputs }));
        expect(gone.message).toContain('Chain not found: qa');
      },
      FRAMEWORK_MS,
    );
  });
});

describe('a bridge that is run by hand', () => {
  it.each(['seed/my_ml_bridge.py', 'forms/words_bridge.py'])(
    'answers on its stdout, and ends: %s',
    async (script) => {
      const child = spawn(PYTHON, [fixture(script), '--mode', 'by-hand', '--worker-id', 'me'], {
        env: { PATH: process.env['PATH'], PYTHONPATH: PYTHON_SOURCES },
        stdio: ['pipe', 'pipe', 'inherit'],
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const ended = once(child, 'close');
      const written: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => written.push(chunk));
      child.stdin.write(frame({ id: 1, command: 'ping', args: {} }));
      child.stdin.write(frame({ id: 2, command: 'no_such_thing', args: {} }));
      child.stdin.write(frame({ id: 3, command: 'shutdown', args: {} }));
      expect(await ended).toEqual([0, null]);
      const [ping, failed, last, ...others] = frames(Buffer.concat(written));
      expect(ping).toMatchObject({ id: 1, success: true, result: { status: 'ok' } });
      expect(failed).toMatchObject({ id: 2, success: false, error_type: 'BridgeError' });
      expect(failed?.['traceback']).toContain('Traceback');
      expect(last).toMatchObject({ id: 3, result: { status: 'shutting_down' } });
      expect(others).toEqual([]);
    },
  );
});

function frame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

function frames(bytes: Buffer): readonly Readonly<Record<string, unknown>>[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    found.push(JSON.parse(bytes.toString('utf8', at + 4, end)) as Record<string, unknown>);
    at = end;
  }
  return found;
}
