// What does `npm run bench [-- --json] [-- <prefix>]` measure and print?
import { parseArgs } from 'node:util';

import { ECHO_BENCHMARKS } from './echo.ts';
import { SUPERVISE_BENCHMARKS } from './supervise.ts';
import { describeRow, type Row } from './row.ts';

const BENCHMARKS = [...ECHO_BENCHMARKS, ...SUPERVISE_BENCHMARKS];

const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const { isJson, prefix } = readArguments();
  const chosen = BENCHMARKS.filter(({ id }) => id.startsWith(prefix));
  if (chosen.length === 0) {
    const ids = BENCHMARKS.map(({ id }) => `  ${id}`).join('\n');
    fail(`no row's id begins with ${JSON.stringify(prefix)}; the rows are\n${ids}`);
    return;
  }
  const rows: Row[] = [];
  for (const { id, question, run } of chosen) {
    process.stderr.write(`measuring ${id} …\n`);
    const row = await run();
    rows.push(row);
    if (!isJson) process.stdout.write(`\n${describeRow(row, question)}\n\n`);
  }
  if (isJson) process.stdout.write(`${JSON.stringify({ rows }, undefined, 2)}\n`);
}

function readArguments(): { readonly isJson: boolean; readonly prefix: string } {
  // npm hands on what stands between two `--` as it is.
  const args = process.argv.slice(2).filter((argument) => argument !== '--');
  const { values, positionals } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (positionals.length > 1) throw new TypeError('at most one prefix of row ids is taken');
  return { isJson: values.json, prefix: positionals[0] ?? '' };
}

function fail(message: string): void {
  process.stderr.write(`bench: ${message}\n`);
  process.exitCode = EXIT_USAGE;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  fail(error.message);
}
