// Which surviving mutants are known to change nothing, and is the list of them still true?
// An entry names its mutant by the code, not by a line number, so that it outlives other changes of
// the file; one entry covers one mutant.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './setup.mjs';
import { StepError } from './steps.mjs';

const LIST = '.config/mutants.json';
const FIELDS = /** @type {const} */ (['file', 'within', 'original', 'mutated', 'reason']);

/**
 * `within`: the whole line on which the change begins; code is compared with its white space joined.
 * @typedef {{ file: string, within: string, original: string, mutated: string }} Change
 * @typedef {Change & { reason: string }} Equivalent
 * @typedef {Change & { line: number, column: number }} PlacedChange
 * @typedef {PlacedChange & { kind: string, status: string, isKilled: boolean }} Mutant
 * @typedef {{ decisions: string[], equivalents: Equivalent[] }} List
 */

/** @returns {List} */
export function readList() {
  /** @type {List} */
  const list = JSON.parse(readFileSync(path.join(root, LIST), 'utf8'));
  for (const entry of list.equivalents) {
    const missing = FIELDS.find((field) => typeof entry[field] !== 'string');
    const isForeign = !list.decisions.includes(entry.file);
    if (missing === undefined && entry.reason.trim() !== '' && !isForeign) continue;
    const what = isForeign ? 'is of no decision file' : `has no ${missing ?? 'reason'}`;
    throw new StepError(`an entry of ${LIST} ${what}`, { why: JSON.stringify(entry) });
  }
  return list;
}

/**
 * What the list says of the mutants of `files`, and where it is no longer true.
 * @param {readonly Mutant[]} mutants
 * @param {List} list
 * @param {readonly string[]} files
 */
export function compareWithList(mutants, list, files) {
  const stale = list.equivalents.filter(({ file }) => files.includes(file));
  /** @type {{ mutant: Mutant, reason: string }[]} */
  const equivalent = [];
  const survived = mutants.filter((mutant) => {
    if (mutant.isKilled) return false;
    const index = stale.findIndex((entry) => isOf(entry, mutant));
    const [entry] = index === -1 ? [] : stale.splice(index, 1);
    if (entry !== undefined) equivalent.push({ mutant, reason: entry.reason });
    return entry === undefined;
  });
  return { survived, equivalent, stale };
}

/**
 * @param {Equivalent} entry
 * @param {Mutant} mutant
 */
function isOf(entry, mutant) {
  return (
    entry.file === mutant.file &&
    entry.within === mutant.within &&
    entry.original === mutant.original &&
    entry.mutated === mutant.mutated
  );
}
