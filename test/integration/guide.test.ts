// Is the guide to supervision true? Its code is that of programs that run from the build, and they print what it says they do.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import * as otp from '../../src/otp.ts';
import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const EXAMPLES = 'docs/examples/supervision';
const DEADLINE_MS = 60_000;

const execute = promisify(execFile);

interface Chapter {
  readonly title: string;
  /** The program that it is about. */
  readonly example: string;
  /** What stands in it between fences, by language. */
  readonly blocks: (language: string) => readonly string[];
}

/** The chapters that have a program. */
function chaptersOf(guide: string): readonly Chapter[] {
  return guide
    .split(/^## /mu)
    .slice(1)
    .flatMap((text) => {
      const [title = ''] = text.split('\n');
      const [, example] = /\(\.\.\/examples\/supervision\/([\w-]+\.ts)\)/u.exec(text) ?? [];
      const fences = [...text.matchAll(/^```(\w*)\n([\s\S]*?)\n```$/gmu)];
      const blocks = (language: string): readonly string[] =>
        fences.flatMap(([, of, body = '']) => (of === language ? [body] : []));
      return example === undefined ? [] : [{ title, example, blocks }];
    });
}

/** A program as its reader writes it: the package in place of its sources. */
function sourceOf(example: string): string {
  const text = readFileSync(path.join(ROOT, EXAMPLES, example), 'utf8');
  return text.replaceAll("'../../../src/otp.ts'", "'caduceus/otp'");
}

function run(example: string, level: string) {
  const program = path.join(ROOT, 'dist', EXAMPLES, example.replace(/\.ts$/u, '.js'));
  return execute(process.execPath, [program], {
    cwd: ROOT,
    env: { ...process.env, CADUCEUS_PYTHON: path.resolve(PYTHON), CADUCEUS_LOG_LEVEL: level },
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
}

const guide = readFileSync(path.join(ROOT, 'docs/guide/supervision.md'), 'utf8');
const chapters = chaptersOf(guide);

describe('the guide to supervision', () => {
  it('has a chapter for each program, and a program for each chapter', () => {
    const programs = readdirSync(path.join(ROOT, EXAMPLES)).filter((name) => name.endsWith('.ts'));
    const told = chapters.map(({ example }) => example);
    expect([...told].sort()).toEqual(programs.sort());
    expect(chapters.map(({ title }) => Number.parseInt(title, 10))).toEqual(
      told.map((name) => Number.parseInt(name, 10)),
    );
  });

  it('has its chapters in the list at its beginning', () => {
    const numbered = chapters.map(({ title }) => title.replace(/^\d+\. /u, ''));
    const listed = [...guide.matchAll(/^\d+\. \[(.*?)\]\(#/gmu)].map(([, title]) => title);
    expect(listed).toEqual(numbered);
  });

  it('names all that the package exports', () => {
    const unnamed = Object.keys(otp).filter(
      (name) => !new RegExp(`\\b${name}\\b`, 'u').test(guide),
    );
    expect(unnamed).toEqual([]);
  });

  it.each(chapters)('shows the very code of $example', ({ example, blocks }) => {
    const source = sourceOf(example);
    expect(blocks('ts').length).toBeGreaterThan(0);
    for (const code of blocks('ts')) expect(source).toContain(code);
  });

  it.each(chapters)(
    'says what $example prints, which succeeds',
    { timeout: DEADLINE_MS },
    async ({ example, blocks }) => {
      const { stdout, stderr } = await run(example, 'silent');
      expect(stderr).toBe('');
      for (const text of blocks('text')) expect(stdout).toContain(`${text}\n`);
    },
  );

  it('says what the first tree logs', { timeout: DEADLINE_MS }, async () => {
    const [{ example, blocks }] = chapters as [Chapter];
    const { stderr } = await run(example, 'warn');
    const levels = new Map([
      [40, 'warn'],
      [50, 'error'],
    ]);
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly level: number; readonly msg: string })
      .map(({ level, msg }) => `${levels.get(level)} ${msg}`);
    expect(blocks('log')).toEqual([lines.join('\n')]);
  });
});
