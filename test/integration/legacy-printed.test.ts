// Do the ported design's own bridges run, as they were printed? Real processes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { defineAdapter, type Runtime } from '../../src/index.ts';
import { startLocalModel } from '../../src/testing/index.ts';
import { legacyRuntime, legacyScript, PYTHON_3_8 } from '../support/legacy-runtime.ts';
import { isAlive, nextEvent, rejection, until } from '../support/real-runtime.ts';

let runtime: Runtime | undefined;
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

/** What stands between the marks was added to the listing. */
const ADDED = /^ *# \[added\]\n[\s\S]*?^ *# \[end of added\]\n/gmu;

describe('the listing of the ported design', () => {
  it.each([
    ['base_bridge.py', 'a8cdd3f49844a7db73dc3761a59fbaa1578ded9cf7a96c8bf6a6e785280d1629'],
    ['my_ml_bridge.py', '6e29e3212f61a9bf98fbf4bb3671eaaf134481da849398840c04b9a46a5a5991'],
  ])('is here byte for byte: %s', (name, hash) => {
    expect(sha256(readFileSync(legacyScript(name)))).toBe(hash);
  });

  it.each([
    ['dspy_bridge.py', 'cd7bc01232c80c89d82c3318d06af6a15954b397054b8197e6da9ddd3fd39c8e'],
    ['langchain_bridge.py', '258648a87ca16ea924fed9c95189150203cc78d747342a0d69b50d20058c32b4'],
    ['custom_ml_bridge.py', '6fe7f0ec1b12da8791ff99017fa085e6e58a67bed01907f504d1856d697a5343'],
  ])('is here with what it left out, and nothing else, added: %s', (name, hash) => {
    const text = readFileSync(legacyScript(name), 'utf8');
    expect(text.match(ADDED)?.length).toBeGreaterThan(0);
    expect(sha256(text.replaceAll(ADDED, ''))).toBe(hash);
  });
});

describe.each([
  ['the interpreter of the suites', undefined],
  ['Python 3.8', PYTHON_3_8],
])('MyMLBridge, byte for byte, on %s', (name, python) => {
  const isMissing = name === 'Python 3.8' && python === undefined;
  const start = (): Promise<Runtime> =>
    legacyRuntime(
      'my_ml_bridge.py',
      // Longer than this test may take: it has to end without the ladder.
      { shutdownMs: 60_000 },
      { minPythonVersion: '3.8.0', ...(python === undefined ? {} : { python }) },
    );

  it.skipIf(isMissing)('runs as a worker of the pool that it is told it is', async () => {
    runtime = await start();
    const pool = runtime.pool('legacy');
    expect(await pool.call('my_operation', { data: 'test' })).toEqual({ result: 'success' });
    const framework = { name: 'my_ml', version: '1.0.0', capabilities: ['custom_ops'] };
    expect(await pool.call('ping')).toMatchObject({
      ...{ status: 'ok', mode: 'pool-worker', worker_id: 'legacy/0', framework },
    });
    // The ping and the question of the start are among them.
    expect(await pool.call('get_stats')).toMatchObject({ command_count: 5, error_count: 0 });
    expect(await rejection(pool.call('no_such_thing'))).toMatchObject({
      ...{ code: 'python_error', pythonType: 'Error', traceback: '', bridge: 'legacy' },
      message: 'Error: Unknown command: no_such_thing',
    });
  });

  it.skipIf(isMissing)('says of itself what a worker says', async () => {
    runtime = await start();
    const ready = nextEvent(runtime, 'child.ready', ({ epoch }) => epoch === 2);
    process.kill(workerPid(runtime), 'SIGKILL');
    expect((await ready).info).toMatchObject({
      ...{ bridge: 'legacy', framework: { name: 'my_ml', version: '1.0.0' }, concurrency: 1 },
      operations: ['ping', 'get_stats', 'shutdown', 'get_capabilities', 'my_operation'],
    });
  });

  it.skipIf(isMissing)('answers `shutdown` and goes at the end of its stdin', async () => {
    runtime = await start();
    const pid = workerPid(runtime);
    expect(await runtime.stop()).toEqual({ type: 'shutdown' });
    await until(() => !isAlive(pid), 1_000);
  });
});

describe('CustomMLBridge', () => {
  const customMl = defineAdapter({
    framework: 'custom_ml',
    operations: {
      load_model: { change: 'create', key: (args) => String(args['id']) },
      ...{ predict: {}, evaluate: {}, train: {} },
    },
  });

  it('trains, predicts and evaluates, and has its models again after its death', async () => {
    runtime = await legacyRuntime('custom_ml_bridge.py', {}, { adapter: customMl });
    const pool = runtime.pool('legacy');
    await pool.call('load_model', { id: 'm', model: { slope: 1, offset: 0 } });
    expect(await pool.call('train', { id: 'm', inputs: [0, 1, 2], targets: [1, 3, 5] })).toEqual({
      ...{ model_id: 'm', model: { slope: 2, offset: 1 } },
    });
    expect(await pool.call('predict', { id: 'm', inputs: [10] })).toEqual({ predictions: [21] });
    expect(await pool.call('evaluate', { id: 'm', inputs: [1], targets: [4] })).toEqual({
      mean_squared_error: 1,
    });
    const crashed = nextEvent(runtime, 'child.crashed');
    process.kill(workerPid(runtime), 'SIGKILL');
    await crashed;
    // What was created is created again; what was learnt since is not in the journal.
    expect(await pool.call('predict', { id: 'm', inputs: [10] })).toEqual({ predictions: [10] });
  });
});

describe('DSPyBridge', () => {
  it('runs real programs of the DSPy of today', async () => {
    const model = await startLocalModel();
    try {
      runtime = await legacyRuntime('dspy_bridge.py', { startTimeoutMs: 60_000 });
      const pool = runtime.pool('legacy');
      await pool.call('configure_lm', {
        ...{ model: 'openai/local', api_base: model.baseUrl, api_key: 'not-needed' },
      });
      await pool.call('create_program', { id: 'qa', signature: 'question -> answer' });
      const inputs = { question: 'What is 17 * 23?' };
      const { outputs } = (await pool.call('execute_program', { program_id: 'qa', inputs })) as {
        readonly outputs: { readonly answer: string };
      };
      expect(outputs.answer).toContain('391');
      expect(await pool.call('list_programs')).toEqual({ programs: ['qa'] });
      await pool.call('delete_program', { program_id: 'qa' });
      const gone = rejection(pool.call('execute_program', { program_id: 'qa', inputs }));
      expect((await gone).message).toBe('Error: Program not found: qa');
    } finally {
      await model.close();
    }
  }, 60_000);
});

describe('LangChainBridge', () => {
  it('imports what LangChain has no more: its start fails, and says why', async () => {
    const failed = legacyRuntime('langchain_bridge.py', { maxConsecutiveStartFailures: 1 });
    const error = await rejection(failed);
    expect(error).toMatchObject({ code: 'pool_failed' });
    const cause = error.cause as Error & Record<string, unknown>;
    expect(cause).toMatchObject({ code: 'bridge_start_failed', pythonType: 'ModuleNotFoundError' });
    expect(cause.message).toMatch(/No module named 'langchain/u);
    expect(cause['traceback']).toContain('langchain_bridge.py');
  });

  it('runs its chains over four stand-ins for what it imports', async () => {
    const env = { PYTHONPATH: legacyScript('stand_ins') };
    runtime = await legacyRuntime('langchain_bridge.py', {}, { env });
    const pool = runtime.pool('legacy');
    await pool.call('configure_llm', { model_type: 'openai', api_key: 'none' });
    const template = 'Answer this question: {question}';
    const chain = { id: 'qa', template, input_variables: ['question'] };
    expect(await pool.call('create_chain', chain)).toMatchObject({ chain_id: 'qa' });
    const inputs = { question: 'why?' };
    expect(await pool.call('run_chain', { chain_id: 'qa', inputs })).toMatchObject({
      result: 'ANSWER THIS QUESTION: WHY?',
    });
    expect(await pool.call('list_chains')).toEqual({ chains: ['qa'] });
  });
});

function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

function workerPid(of: Runtime): number {
  const pid = of.tree().children[0]?.children[0]?.pid;
  if (pid === undefined) throw new Error('there is no worker');
  return pid;
}
