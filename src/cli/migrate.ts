// `caduceus migrate`: what would a bridge with a table of handlers be as a class with operations? Shows it, and writes it when it is told to.
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

import { askPython, resolveInterpreter } from '../../actors/port/interpreter.ts';
import { MIGRATE_BOOT, PYTHON_SOURCES } from '../../actors/port/package-root.ts';
import type { Terminal } from './terminal.ts';
import { EXIT_FAILED, UsageError } from './usage-error.ts';

export interface MigrateOptions {
  readonly python?: string | undefined;
  readonly write?: boolean | undefined;
}

const answerSchema = z.union([
  z.object({
    text: z.string(),
    diff: z.string(),
    operations: z.array(z.string()),
    left: z.array(z.string()),
    notes: z.array(z.string()),
  }),
  z.object({ problem: z.string() }),
]);

/** @returns the status of the command: 1 when there is nothing that can be rewritten. */
export async function migrateCommand(
  { output, errors }: Terminal,
  file: string,
  { python, write }: MigrateOptions,
): Promise<number> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UsageError(`there is no ${file}`);
  const query = { explicit: python, env: process.env, cwd: process.cwd() };
  const { executable } = await resolveInterpreter(query);
  const args = ['-c', MIGRATE_BOOT, PYTHON_SOURCES, file];
  const answer = await askPython(executable, args, answerSchema);
  if (answer.type === 'failed') {
    errors.write(`${file} was left as it is: ${executable} ${answer.why}\n`);
    return EXIT_FAILED;
  }
  const { found } = answer;
  if ('problem' in found) {
    errors.write(`${file} was left as it is: ${found.problem}\n`);
    return EXIT_FAILED;
  }
  output.write(found.diff);
  for (const note of found.notes) errors.write(`note: ${note}\n`);
  if (write === true) writeFileSync(path, found.text);
  const rest = found.left.length === 0 ? '' : `, ${found.left.length} in its table as before`;
  const done = `${counted(found.operations.length)}${rest}`;
  errors.write(`${file} ${write === true ? 'has' : 'would have (--write)'} ${done}\n`);
  return 0;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'operation' : 'operations'} as ${count === 1 ? 'a method' : 'methods'}`;
}
