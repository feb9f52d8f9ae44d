// What does `npm run differential [-- --cases N --seed S]` do and print? Random cases on ours and on a real Erlang VM; its last line says how many agreed.
import { parseArgs } from 'node:util';

import { DECIDED } from './decided.ts';
import { differ, rareFeatures, replay, type Outcome } from './differential.ts';
import { erlangRelease, ErlangVm, NO_ERLANG } from './erlang.ts';
import { FEATURE_MIN, FEATURE_MIN_OF } from './features.ts';
import { ours } from './ours.ts';

const EXIT_DISAGREED = 1;
const EXIT_USAGE = 2;
const CASES = 2_000;
const SEED_MAX = 1_000_000;

interface Arguments {
  readonly cases: number;
  readonly seed: number;
  readonly again: string | undefined;
  readonly isDecided: boolean;
}

async function main(): Promise<void> {
  const given = usable(readArguments);
  if (given === undefined) return;
  const { cases, seed, again, isDecided } = given;
  if (isDecided) {
    print(JSON.stringify(DECIDED, undefined, 2));
    return;
  }
  const release = erlangRelease();
  if (release === undefined) {
    print(`differential: skipped, ${NO_ERLANG}`);
    return;
  }
  const vm = new ErlangVm();
  try {
    if (again === undefined) await compareAll({ cases, seed, vm, release });
    else await repeat(vm, again);
  } finally {
    await vm.close();
  }
}

async function compareAll(run: {
  readonly cases: number;
  readonly seed: number;
  readonly vm: ErlangVm;
  readonly release: string;
}): Promise<void> {
  const { cases, seed, vm, release } = run;
  print(`${cases} cases on ours and on Erlang/OTP ${release}; seed ${seed}`);
  const startedMs = performance.now();
  const outcome = await differ({
    cases,
    seed,
    vm,
    ours,
    onProgress: (done) => process.stderr.write(`\r${done} of ${cases}`),
  });
  process.stderr.write('\r');
  const tookS = (performance.now() - startedMs) / 1_000;
  for (const { text, replay: name } of outcome.found) {
    print(`\n${text}\n\nto see it again: npm run differential -- --replay ${name}\n`);
  }
  printFeatures(outcome, cases);
  if (outcome.agreedAlone > 0) {
    print(`${outcome.agreedAlone} agreed only when the VM had nothing else to do`);
  }
  print(`${Math.round(cases / tookS)} cases/s`);
  print(`${outcome.agreed} agreed, ${outcome.disagreed} disagreed`);
  if (outcome.disagreed > 0 || rareFeatures(outcome, cases).length > 0) {
    process.exitCode = EXIT_DISAGREED;
  }
}

function printFeatures(outcome: Outcome, cases: number): void {
  for (const [feature, count] of outcome.features)
    print(`${String(count).padStart(7)}  ${feature}`);
  for (const feature of rareFeatures(outcome, cases)) {
    print(`✗ ${feature}: in too few cases; ${FEATURE_MIN} in ${FEATURE_MIN_OF} are asked for`);
  }
}

async function repeat(vm: ErlangVm, again: string): Promise<void> {
  const { agrees, text } = await replay({ vm, ours }, again);
  print(text);
  print(agrees ? '1 agreed, 0 disagreed' : '0 agreed, 1 disagreed');
  if (!agrees) process.exitCode = EXIT_DISAGREED;
}

/** What it gives; a slip of the caller is told in one line. */
function usable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`differential: ${error.message}\n`);
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
}

function readArguments(): Arguments {
  // npm hands on what stands between two `--` as it is.
  const args = process.argv.slice(2).filter((argument) => argument !== '--');
  const { values } = parseArgs({
    args,
    options: {
      cases: { type: 'string', default: String(CASES) },
      seed: { type: 'string', default: String(Math.floor(Math.random() * SEED_MAX)) },
      replay: { type: 'string' },
      decided: { type: 'boolean', default: false },
    },
  });
  return {
    cases: wholeNumber('cases', values.cases, 1),
    seed: wholeNumber('seed', values.seed, 0),
    again: values.replay,
    isDecided: values.decided,
  };
}

function wholeNumber(name: string, text: string, min: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= min) return number;
  throw new TypeError(`--${name} ${text}: a whole number from ${min} is expected`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
