// What does `npm run bench [-- --json] [-- --quick] [-- --store] [-- --profile] [-- <prefix>]` measure and print?
import { BINARY_BENCHMARKS } from './binary.ts';
import { readArguments, type BenchArguments } from './arguments.ts';
import { LOAD_BENCHMARKS } from './curve-load.ts';
import { MEMORY_BENCHMARKS } from './curve-memory.ts';
import { PAYLOAD_BENCHMARKS } from './curve-payload.ts';
import { ECHO_BENCHMARKS } from './echo.ts';
import { KILL_BENCHMARKS } from './kill.ts';
import { PEER_BENCHMARKS } from './peers/peers.ts';
import { POOL_COST_BENCHMARKS } from './pool-cost.ts';
import { POOL_FAIRNESS_BENCHMARKS } from './pool-fairness.ts';
import { POOL_THROUGHPUT_BENCHMARKS } from './pool-throughput.ts';
import { printProfile } from './profile.ts';
import { describeRow, notMeasured, rowOf, type Benchmark, type Row } from './row.ts';
import { SPAWN_BENCHMARKS } from './spawn.ts';
import { within } from './stage.ts';
import { store } from './store.ts';
import { SUPERVISE_BENCHMARKS } from './supervise.ts';

const BENCHMARKS: readonly Benchmark[] = [
  ...ECHO_BENCHMARKS,
  ...BINARY_BENCHMARKS,
  ...PEER_BENCHMARKS,
  ...KILL_BENCHMARKS,
  ...SPAWN_BENCHMARKS,
  ...SUPERVISE_BENCHMARKS,
  ...POOL_COST_BENCHMARKS,
  ...POOL_THROUGHPUT_BENCHMARKS,
  ...POOL_FAIRNESS_BENCHMARKS,
  ...PAYLOAD_BENCHMARKS,
  ...LOAD_BENCHMARKS,
  ...MEMORY_BENCHMARKS,
];

/** The longest row takes about a minute; one that hangs is given up, and the others are measured. */
const ROW_LIMIT_MS = 240_000;

const EXIT_NOT_MEASURED = 1;
const EXIT_USAGE = 2;

async function main(args: BenchArguments): Promise<number> {
  const chosen = BENCHMARKS.filter(({ id }) => id.startsWith(args.prefix));
  if (chosen.length === 0) {
    const ids = BENCHMARKS.map(({ id }) => `  ${id}`).join('\n');
    throw new TypeError(
      `no row's id begins with ${JSON.stringify(args.prefix)}; the rows are\n${ids}`,
    );
  }
  const rows: Row[] = [];
  let failures = 0;
  for (const benchmark of chosen) {
    process.stderr.write(`measuring ${benchmark.id} …\n`);
    const row = await measure(benchmark, args).catch((error: unknown) => {
      failures += 1;
      return rowOf(benchmark, notMeasured(reasonOf(error)));
    });
    rows.push(row);
    if (!args.isJson) process.stdout.write(`\n${describeRow(row, benchmark.question)}\n\n`);
  }
  if (args.isJson) process.stdout.write(`${JSON.stringify({ rows }, undefined, 2)}\n`);
  if (args.isStored) store(rows);
  return failures === 0 ? 0 : EXIT_NOT_MEASURED;
}

async function measure(benchmark: Benchmark, { thoroughness }: BenchArguments): Promise<Row> {
  const outcome = await within(benchmark.run(thoroughness), ROW_LIMIT_MS, `row ${benchmark.id}`);
  return rowOf(benchmark, outcome);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

async function run(): Promise<number> {
  try {
    const args = readArguments(process.argv.slice(2));
    if (args.isProfile) return await printProfile(args);
    return await main(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

// What was started ends with its connections and its stdin; what was made below /tmp goes when this process ends by itself.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(status));
}
const status = await run();
// Not by itself: a row that was given up still has its timers and processes. What was printed must be out first.
process.stdout.write('', () => process.exit(status));
