// Is the guide to a bridge of one's own true? Its Python is written to files and run, and its snippets are statements of this file.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

import {
  createRuntime,
  defineAdapter,
  isCaduceusError,
  type Args,
  type CallOptions,
} from '../../src/index.ts';
import { makeFolder, type Folder } from '../support/cli.ts';
import { PYTHON, until, workersOf } from '../support/real-runtime.ts';

const GUIDE = path.resolve(import.meta.dirname, '../../docs/guide/your-own-bridge.md');

function blocks(language: string): readonly string[] {
  const text = readFileSync(GUIDE, 'utf8');
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, 'gmu'));
  return [...found].map(([, code = '']) => code);
}

/** What is done, without how it is laid out. */
function wordsOf(text: string): string {
  return text.replaceAll(/[\s,]+/gu, '');
}

/** The two files of the guide, under the names that their first lines give. */
function folderOfGuide(): Folder {
  const folder = makeFolder();
  for (const code of blocks('python')) folder.write(/^# (\S+)/u.exec(code)?.[1] ?? '', code, '');
  return folder;
}

function flat({ inputs = {}, ...args }: Args): Args {
  return { ...args, ...(inputs as Args) };
}

it('the guide to a bridge of one’s own shows what is done here', () => {
  const own = readFileSync(import.meta.filename, 'utf8')
    .replaceAll('file', "'./tally_bridge.py'")
    .replaceAll('{ python: PYTHON, logger: false, bridges }', '{ bridges }');
  const snippets = blocks('ts');
  expect(snippets.length).toBeGreaterThanOrEqual(6);
  expect(snippets.filter((snippet) => !wordsOf(own).includes(wordsOf(snippet)))).toEqual([]);
});

const FORMS = ['tally_bridge.py', 'tally_table_bridge.py'];

it.each(FORMS)('what the guide to a bridge of one’s own shows works: %s', async (name) => {
  const file = path.join(folderOfGuide().path, name);
  const words: string[] = [];
  const count = z.number().optional();
  const tally = defineAdapter({
    framework: 'tally',
    operations: {
      create_tally: {
        args: z.strictObject({ id: z.string().optional() }),
        result: z.string(),
        change: 'create',
        key: ({ id }) => String(id),
      },
      add_text: {
        args: z.strictObject({ id: z.string(), text: z.string() }),
        result: z.number(),
        change: 'update',
        key: ({ id }) => String(id),
      },
      most_common: {
        args: z.strictObject({
          id: z.string(),
          count,
          inputs: z.strictObject({ count }).optional(),
        }),
        result: z.record(z.string(), z.number()),
        idempotent: true,
        mock: () => ({ mock: 1 }),
      },
      each_word: { args: z.strictObject({ id: z.string() }), item: z.string(), stream: true },
    },
    roles: { create: 'create_tally', execute: 'most_common' },
    transformRequest: (op, args, { newId }) =>
      op === 'create_tally' ? { id: newId(), ...args } : flat(args),
    methods: (self) => ({
      countAll: async (texts: readonly string[], options?: CallOptions) => {
        const id = await self.createTally({ id: 'all' }, options);
        for (const text of texts) await self.addText({ id, text }, options);
        return self.mostCommon({ id }, options);
      },
    }),
  });
  const bridges = {
    tally: {
      adapter: tally,
      scriptPath: file,
      requiredPackages: [],
      minPythonVersion: '3.10',
      pool: { size: 2 },
    },
  };
  const runtime = await createRuntime({ python: PYTHON, logger: false, bridges });
  expect(await runtime.registry.validateBridge('tally')).toMatchObject({ ok: true });

  const tallies = runtime.registry.getAdapter('tally');
  const common = await tallies.countAll(['to be or', 'not to be'], { sessionId: 'ada' });
  expect(common).toEqual({ to: 2, be: 2, or: 1 });

  const id = await runtime.ml.createProgram({}, { bridge: 'tally' });
  await runtime.ml.executeOperation('add_text', { id, text: 'a b a' }, { bridge: 'tally' });
  const top = await runtime.ml.execute(id, { count: 1 });
  expect(top).toEqual({ a: 2 });

  const lost = await tallies.mostCommon({ id: 'none' }).catch((error: unknown) => error);
  const code = isCaduceusError(lost) ? lost.code : undefined;
  expect(code).toBe(name === 'tally_bridge.py' ? 'tally_not_found' : 'python_error');

  const pids = workersOf(runtime).map(({ pid }) => pid ?? 0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until(() => workersOf(runtime).every(({ pid }) => !pids.includes(pid ?? 0)), 30_000);
  for await (const word of tallies.eachWord({ id: 'all' }, { sessionId: 'ada' })) words.push(word);
  expect(words).toEqual(['to', 'be', 'or', 'not']);
  await runtime.stop();
});
