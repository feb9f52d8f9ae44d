// Is the guide to migration true? Its Python is written to a file and run, its snippets are statements of this file, its commands are typed.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

import {
  createRuntime,
  defineAdapter,
  python as usePython,
  type CallOptions,
  type PythonFile,
} from '../../src/index.ts';
import { cliEnv, DEADLINE_MS, makeFolder, PROGRAM } from '../support/cli.ts';
import { fixture, PYTHON, rejection } from '../support/real-runtime.ts';

const GUIDE = path.resolve(import.meta.dirname, '../../docs/guide/migration.md');

function blocks(language: string): readonly string[] {
  const text = readFileSync(GUIDE, 'utf8');
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, 'gmu'));
  return [...found].map(([, code = '']) => code);
}

/** What is done, without how it is laid out. */
function wordsOf(text: string): string {
  return text.replaceAll(/[\s,]+/gu, '');
}

it('the guide to migration shows what is done here', () => {
  const own = wordsOf(readFileSync(import.meta.filename, 'utf8'));
  const snippets = blocks('ts');
  expect(snippets.length).toBeGreaterThanOrEqual(5);
  expect(snippets.filter((snippet) => !own.includes(wordsOf(snippet)))).toEqual([]);
});

it('what the guide to migration shows works', { timeout: DEADLINE_MS }, async () => {
  const folder = makeFolder();
  const [code = ''] = blocks('python');
  folder.write(/^# (\S+)/u.exec(code)?.[1] ?? '', code, '');
  const python = (file: string): Promise<PythonFile> =>
    usePython(path.join(folder.path, file), { python: PYTHON, logger: false });
  const numbers: number[] = [];

  await using model = await python('./model.py');
  const { mean } = (await model.call('predict', { features: [1, 2, 6] })) as { mean: number };
  expect(mean).toBe(3);

  const later = model.call('predict', { features: [2, 4] }, { timeoutMs: 5_000 });
  const one = (await later) as { mean: number };
  expect(one).toEqual({ mean: 3 });

  for await (const n of model.stream<number>('countdown', { start: 3 })) numbers.push(n);
  expect(numbers).toEqual([3, 2, 1]);
  expect(await rejection(model.call('predict', { feature: [1] }))).toMatchObject({
    code: 'invalid_arguments',
  });
});

it('what the guide to migration shows of the original works, as it is and as a worker', async () => {
  const folder = makeFolder();
  for (const name of ['my_ml_bridge.py', 'base_bridge.py'])
    copyFileSync(fixture(`legacy/${name}`), path.join(folder.path, name));
  const myMl = defineAdapter({
    framework: 'my_ml',
    operations: { my_operation: {} },
    methods: (self) => ({
      doMyOperation: (args: object, options?: CallOptions) =>
        self.executeOperation('my_operation', args, options),
    }),
  });
  const args = { data: 'test' };

  const legacy = { adapter: myMl, scriptPath: './my_ml_bridge.py', protocol: 'v1' } as const;
  const scriptPath = path.join(folder.path, legacy.scriptPath);
  for (const protocol of [legacy.protocol, undefined]) {
    const bridges = { my_ml: { ...legacy, scriptPath, protocol, pool: { size: 1 } } };
    await using runtime = await createRuntime({ python: PYTHON, logger: false, bridges });
    const result = await runtime.registry.getAdapter('my_ml').doMyOperation({ data: 'test' });
    const same = await runtime.ml.executeOperation('my_operation', args, { bridge: 'my_ml' });
    expect([result, same]).toEqual([{ result: 'success' }, { result: 'success' }]);
  }
});

it('the guide to migration shows what the command prints', { timeout: DEADLINE_MS }, () => {
  const folder = makeFolder();
  copyFileSync(fixture('seed/my_ml_bridge.py'), path.join(folder.path, 'my_ml_bridge.py'));
  const [session = ''] = blocks('console');
  const [typed = '', ...seen] = session.split('\n');
  const line = typed.replace('$ npx caduceus', `"${process.execPath}" "${PROGRAM}"`);
  const ran = spawnSync('sh', ['-c', `${line} 2>&1`], {
    ...{ cwd: folder.path, env: cliEnv(), encoding: 'utf8', timeout: DEADLINE_MS },
  });
  // Editors take spaces away that end a line.
  const trimmed = (text: string): string => text.replaceAll(/ +$/gmu, '').trimEnd();
  expect(trimmed(ran.stdout)).toBe(trimmed(seen.join('\n')));
});
