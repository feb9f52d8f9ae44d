// Are the options that the documents name those that a pool takes, and is each of them at work somewhere? A row of docs/lessons.md.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { poolSchema } from '../../src/adapters/pool-schema.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OPTIONS = Object.keys(poolSchema.shape);
/** Those of groups too, as `group.option`. */
const ALL_OPTIONS = namesIn(poolSchema, '');

function namesIn(schema: z.core.$ZodType, before: string): readonly string[] {
  if (schema instanceof z.ZodOptional) return namesIn(schema.unwrap(), before);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((one) => namesIn(one, before));
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.core.$ZodType>).flatMap(
    ([name, below]) => [`${before}${name}`, ...namesIn(below, `${before}${name}.`)],
  );
}

function textsUnder(folder: string, end: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .map((file) => readFileSync(path.join(ROOT, folder, file), 'utf8'));
}

/** Code that does what an option says: not what declares or checks them, and no comments. */
const CODE = ['supervisors/pool', 'actors/worker', 'actors/port', 'actors/breaker', 'src']
  .flatMap((folder) => textsUnder(folder, '.ts'))
  .filter((text) => !/interface PoolOptions|poolSchema = /u.test(text))
  .map((text) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gmu, ''));
/** Tests that bring an option to bear; that it is taken and checked is shown in `test/src`. */
const TESTS = ['test/integration', 'test/faults', 'test/supervisors', 'test/lessons']
  .flatMap((folder) => textsUnder(folder, '.test.ts'))
  .filter((text) => !text.includes('poolSchema.shape'));

/** The option's own name, as a word of a text. */
function wordOf(option: string): RegExp {
  return new RegExp(`\\b${option.split('.').at(-1)}\\b`, 'u');
}

/** The names in the first column of the table of options. */
function documented(): readonly string[] {
  const document = readFileSync(path.join(ROOT, 'docs/pools.md'), 'utf8');
  const [, behind = ''] = document.split('### Options');
  const [table = ''] = behind.split('### ');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/gu)])
    .map(([, name]) => name ?? '');
}

describe('the options of a pool', () => {
  it('that docs/pools.md lists are options that a pool takes (S19)', () => {
    const names = documented();
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !OPTIONS.includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('stand each in a document for users (S19)', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    const documents = [readme, ...textsUnder('docs', '.md')];
    const untold = ALL_OPTIONS.filter((name) => !documents.some((text) => wordOf(name).test(text)));
    expect(untold).toEqual([]);
  });

  it('are each read by what does the work (B14)', () => {
    const unread = ALL_OPTIONS.filter((name) => !CODE.some((text) => wordOf(name).test(text)));
    expect(unread).toEqual([]);
  });

  it('are each brought to bear by a test (B14)', () => {
    const isGiven = (name: string): RegExp =>
      new RegExp(`${wordOf(name).source}['\`]?\\s*[:,}]`, 'u');
    const untried = ALL_OPTIONS.filter((name) => !TESTS.some((text) => isGiven(name).test(text)));
    expect(untried).toEqual([]);
  });
});
