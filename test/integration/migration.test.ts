// Does `caduceus migrate` show and write what it should, and does a bridge that it has rewritten answer on a real worker as it did before?
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createRuntime, type BridgeHandle } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import { DEADLINE_MS, makeFolder, type Folder } from '../support/cli.ts';
import { fixture, PYTHON, rejection } from '../support/real-runtime.ts';

/** Two workers import a framework, and are called. */
const FRAMEWORK_MS = 180_000;

/** A bridge of the ported design in a folder of its own. */
function folderWith(name: string): Folder {
  const folder = makeFolder();
  copyFileSync(fixture(`seed/${name}`), path.join(folder.path, name));
  return folder;
}

type Call = readonly [op: string, args: object];

/** What the bridge of a file answers to the calls, one after the other. */
async function answersOf(
  scriptPath: string,
  calls: readonly Call[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly unknown[]> {
  await using runtime = await createRuntime({
    python: PYTHON,
    logger: false,
    bridges: { seed: { scriptPath, env, pool: { size: 1, startTimeoutMs: FRAMEWORK_MS } } },
  });
  const bridge = runtime.pool('seed');
  const answers: unknown[] = [];
  for (const call of calls) answers.push(await answerOf(bridge, call));
  return answers;
}

async function answerOf(bridge: BridgeHandle, [op, args]: Call): Promise<unknown> {
  try {
    const answer = await bridge.call(op, args);
    const { execution_time: _, ...lasting } = answer as { readonly execution_time?: number };
    return lasting;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('caduceus migrate', { timeout: DEADLINE_MS }, () => {
  it('shows the difference, and changes nothing', () => {
    const folder = folderWith('my_ml_bridge.py');
    const before = folder.read('my_ml_bridge.py');
    const { status, stdout, stderr } = folder.caduceus(['migrate', 'my_ml_bridge.py']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^--- a\/my_ml_bridge\.py\n\+\+\+ b\/my_ml_bridge\.py\n@@ /u);
    expect(stdout).toContain('\n+    @operation\n+    def my_operation(self, **args):\n');
    expect(stderr).toBe(
      'note: my_operation: takes any arguments, as before, and reads none: **args\n' +
        'my_ml_bridge.py would have (--write) 1 operation as a method\n',
    );
    expect(folder.read('my_ml_bridge.py')).toBe(before);
  });

  it('writes it when it is told to, and then has nothing more to do', () => {
    const folder = folderWith('custom_ml_bridge.py');
    const shown = folder.caduceus(['migrate', 'custom_ml_bridge.py']);
    const written = folder.caduceus(['migrate', 'custom_ml_bridge.py', '--write']);
    expect(written).toMatchObject({ status: 0, stdout: shown.stdout });
    expect(written.stderr).toContain('custom_ml_bridge.py has 4 operations as methods\n');
    const after = folder.read('custom_ml_bridge.py');
    expect(after).toContain('class CustomMLBridge(Bridge):');
    const again = folder.caduceus(['migrate', 'custom_ml_bridge.py', '--write']);
    expect(again).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'custom_ml_bridge.py was left as it is: no class in it derives from BaseBridge and registers handlers\n',
    });
    expect(folder.read('custom_ml_bridge.py')).toBe(after);
  });

  it('leaves a file alone that is no Python, and says so', () => {
    const folder = makeFolder();
    folder.write('broken.py', 'class (:', '');
    const { status, stderr } = folder.caduceus(['migrate', 'broken.py', '--write']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('broken.py was left as it is: it is no Python') as unknown,
    ]);
    expect(folder.read('broken.py')).toBe('class (:\n');
  });

  it('does not understand a file that is not there, nor no file', () => {
    const folder = makeFolder();
    expect(folder.caduceus(['migrate', 'gone.py'])).toMatchObject({
      ...{ status: 2, stderr: 'error: there is no gone.py\n' },
    });
    expect(folder.caduceus(['migrate']).status).toBe(2);
  });
});

describe('a bridge of the ported design that was rewritten', () => {
  let model: LocalModel;
  beforeAll(async () => {
    model = await startLocalModel();
  });
  afterAll(() => model.close());

  const inputs = { question: 'What is 17 * 23?' };
  const BRIDGES: readonly (readonly [string, () => readonly Call[]])[] = [
    [
      'my_ml_bridge.py',
      () => [
        ['my_operation', { data: 'test' }],
        ['no_such_thing', {}],
      ],
    ],
    [
      'custom_ml_bridge.py',
      () => [
        ['load_model', { id: 'm' }],
        ['train', { id: 'm', dataset: 'iris' }],
        ['predict', { id: 'm', inputs: [[5.1, 3.5, 1.4, 0.2]] }],
        ['evaluate', { id: 'm', dataset: 'iris' }],
        ['predict', { id: 'n', inputs: [] }],
      ],
    ],
    [
      'dspy_bridge.py',
      () => [
        ['execute_program', { program_id: 'qa', inputs }],
        ['configure_lm', { model: 'openai/local', api_base: model.baseUrl, api_key: 'none' }],
        ['create_program', { id: 'qa', signature: 'question -> answer' }],
        ['execute_program', { program_id: 'qa', inputs }],
        ['list_programs', {}],
        ['delete_program', { program_id: 'qa' }],
        ['list_programs', {}],
      ],
    ],
    [
      'langchain_bridge.py',
      () => [
        ['configure_llm', { api_key: 'none' }],
        ['create_chain', { id: 'qa', template: '{question}', input_variables: ['question'] }],
        ['run_chain', { chain_id: 'qa', inputs }],
        ['run_chain', { chain_id: 'none' }],
        ['create_agent', { id: 'helper' }],
        ['run_agent', { agent_id: 'helper', input: 'What is 6 * 7?' }],
        ['list_chains', {}],
        ['delete_chain', { chain_id: 'qa' }],
        ['list_chains', {}],
      ],
    ],
  ];

  it.each(BRIDGES)('answers as before: %s', { timeout: FRAMEWORK_MS }, async (name, callsOf) => {
    const folder = folderWith(name);
    const file = path.join(folder.path, name);
    const env = { OPENAI_API_BASE: model.baseUrl };
    const before = await answersOf(file, callsOf(), env);
    expect(folder.caduceus(['migrate', name, '--write']).status).toBe(0);
    const after = await answersOf(file, callsOf(), env);
    expect(after).toEqual(before);
    expect(before.filter((answer) => typeof answer !== 'string').length).toBeGreaterThan(0);
  });

  it('tells its callers now what it takes, and refuses what it does not take', async () => {
    const folder = folderWith('custom_ml_bridge.py');
    folder.caduceus(['migrate', 'custom_ml_bridge.py', '--write']);
    await using runtime = await createRuntime({
      python: PYTHON,
      logger: false,
      bridges: {
        custom_ml: { scriptPath: path.join(folder.path, 'custom_ml_bridge.py'), pool: { size: 1 } },
      },
    });
    const bridge = runtime.pool('custom_ml');
    const { operations } = (await bridge.call('get_capabilities')) as {
      readonly operations: Readonly<Record<string, { readonly args: object }>>;
    };
    expect(operations['load_model']?.args).toMatchObject({ required: ['id'] });
    expect(await rejection(bridge.call('load_model', { name: 'm' }))).toMatchObject({
      code: 'invalid_arguments',
    });
  });
});
