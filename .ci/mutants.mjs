// What does `npm run mutants` do? It changes the decision files in every way that the mutation tool
// knows, one change at a time, and shows the changes that no test notices.
// The decision files, and the changes that cannot be noticed, are in .config/mutants.json.
// A part of them: npm run mutants -- supervisors/restart

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { compareWithList, readList } from './equivalents.mjs';
import { isAlive } from './lock.mjs';
import { root, setUp } from './setup.mjs';
import { seconds, showFailure, StepError } from './steps.mjs';

/** Of each run its own, so that two of them do not clean up after each other. */
const TEMP = '.cache/mutants-';
const OUR_TEMP = `${TEMP}${process.pid}`;
/** What the decisions and their tests are made of; nothing else is copied to be changed. */
const NEEDED = ['.config', 'actors', 'src', 'supervisors', 'test', 'package.json', 'tsconfig.json'];
/** `RuntimeError`: the tests could not even be loaded. All else, `Ignored` too, is a survivor. */
const KILLED = ['Killed', 'Timeout', 'RuntimeError'];

await setUp({});
process.chdir(root);
process.on('exit', () => rmSync(OUR_TEMP, { recursive: true, force: true }));
removeAbandoned();
try {
  const startedMs = performance.now();
  const list = readList();
  const files = chosenOf(list.decisions, process.argv.slice(2));
  const mutants = await testMutants(files);
  process.exitCode = show(mutants, compareWithList(mutants, list, files), startedMs);
} catch (error) {
  showFailure(error);
  process.exitCode = 1;
}

/** A run that is ended by a signal can be outlived by its workers, which write once more. */
function removeAbandoned() {
  if (!existsSync('.cache')) return;
  for (const name of readdirSync('.cache')) {
    const folder = `.cache/${name}`;
    if (folder.startsWith(TEMP) && !isAlive(Number(folder.slice(TEMP.length)))) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/**
 * @param {readonly string[]} decisions
 * @param {readonly string[]} prefixes
 */
function chosenOf(decisions, prefixes) {
  const matches = (/** @type {string} */ prefix) => decisions.filter((d) => d.startsWith(prefix));
  const unmatched = prefixes.find((prefix) => matches(prefix).length === 0);
  if (unmatched !== undefined) {
    throw new StepError(`no decision file begins with ${unmatched}`, {
      why: decisions.join('\n'),
      advice: 'name one of these, or none for all of them.',
    });
  }
  const files = prefixes.length === 0 ? decisions : [...new Set(prefixes.flatMap(matches))];
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length === 0) return files;
  throw new StepError('a decision file is missing', {
    why: missing.join('\n'),
    advice: 'mend the list in .config/mutants.json.',
  });
}

/**
 * @param {readonly string[]} files
 * @returns {Promise<import('./equivalents.mjs').Mutant[]>}
 */
async function testMutants(files) {
  // Read now, as the tool does: whoever edits one meanwhile would have us show other lines.
  const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8').split('\n')]));
  // Loaded here because `setUp` may have had to install it first.
  const { Stryker } = await import('@stryker-mutator/core');
  const tool = new Stryker({
    mutate: [...files],
    testRunner: 'vitest',
    plugins: [import.meta.resolve('@stryker-mutator/vitest-runner')],
    vitest: { configFile: '.config/vitest.mutants.config.ts' },
    coverageAnalysis: 'perTest',
    concurrency: availableParallelism(),
    tempDirName: OUR_TEMP,
    cleanTempDir: 'always',
    ignorePatterns: ['**', ...NEEDED.flatMap((name) => [`!${name}`, `!${name}/**`])],
    reporters: process.stdout.isTTY ? ['progress'] : [],
    allowConsoleColors: process.stdout.isTTY,
    logLevel: 'error',
  });
  // What went wrong the tool has told by itself: a test that fails without any change, mostly.
  const results = await tool.runMutationTest().catch((/** @type {Error} */ { message }) => {
    throw new StepError('the mutants were not tested', { why: message });
  });
  return results
    .map((result) => described(result, sources))
    .sort((a, b) => compare(a.file, b.file) || a.line - b.line);
}

/**
 * A mutant in our own words.
 * @param {Awaited<ReturnType<import('@stryker-mutator/core').Stryker['runMutationTest']>>[number]} result
 * @param {ReadonlyMap<string, readonly string[]>} sources
 * @returns {import('./equivalents.mjs').Mutant}
 */
function described(result, sources) {
  const { fileName, location, mutatorName, replacement, status } = result;
  const { start, end } = location;
  const file = path.relative(root, fileName).split(path.sep).join('/');
  const lines = sources.get(file) ?? [];
  const within = onOneLine(lines[start.line - 1] ?? '');
  const changed = lines.slice(start.line - 1, end.line);
  changed.push((changed.pop() ?? '').slice(0, end.column - 1));
  changed[0] = (changed[0] ?? '').slice(start.column - 1);
  return {
    file,
    ...{ line: start.line, column: start.column, within },
    ...{ original: onOneLine(changed.join(' ')), mutated: onOneLine(replacement ?? '') },
    ...{ kind: mutatorName, status },
    isKilled: KILLED.includes(status),
  };
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** @param {string} code */
function onOneLine(code) {
  return code.replace(/\s+/gu, ' ').trim();
}

/**
 * @param {readonly import('./equivalents.mjs').Mutant[]} mutants
 * @param {ReturnType<typeof compareWithList>} compared
 * @param {number} startedMs
 * @returns {number} the exit status
 */
function show(mutants, { survived, equivalent, stale }, startedMs) {
  const lines = [];
  for (const { mutant, reason } of equivalent) lines.push(shown('=', mutant), `    ${reason}\n`);
  for (const mutant of survived) {
    const { file, within, original, mutated } = mutant;
    const entry = JSON.stringify({ file, within, original, mutated, reason: '' });
    lines.push(shown('✗', mutant), `    as an entry: ${entry}\n`);
  }
  for (const entry of stale) {
    lines.push(
      `✗ listed as equivalent, but no such mutant survives:\n    ${JSON.stringify(entry)}\n`,
    );
  }
  const killed = mutants.filter(({ isKilled }) => isKilled).length;
  lines.push(
    `${killed} killed, ${equivalent.length} equivalent, ${stale.length} stale entries, ${seconds(startedMs)}`,
    `${mutants.length} found, ${survived.length} survived\n`,
  );
  process.stdout.write(`\n${lines.join('\n')}`);
  return survived.length + stale.length === 0 ? 0 : 1;
}

/**
 * @param {string} mark
 * @param {import('./equivalents.mjs').Mutant} mutant
 */
function shown(mark, { file, line, column, kind, status, original, mutated }) {
  const why = status === 'Survived' ? '' : `, ${status}`;
  return `${mark} ${file}:${line}:${column}  ${kind}${why}\n    - ${original}\n    + ${mutated}`;
}
