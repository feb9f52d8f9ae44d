// How does a person, or another program, read what Python answered, and what went wrong?
import { inspect } from 'node:util';

import { isCaduceusError } from '../../actors/ground/errors.ts';
import { NdArray } from '../../actors/port/nd-array.ts';

/** How far down a value is shown to a person. */
const DEPTH_MAX = 8;
/** Elements of one list that are shown. */
const ITEMS_MAX = 100;
/** The last lines of a traceback tell what happened. */
const TRACEBACK_LINES = 12;
/** Of causes of causes. */
const CAUSES_MAX = 8;

export interface ShowOptions {
  readonly colors?: boolean | undefined;
  /** One line of JSON. */
  readonly json?: boolean | undefined;
}

/** A value as text, without a line break at the end. A text is itself, unless JSON is asked for. */
export function valueText(
  value: unknown,
  { colors = false, json = false }: ShowOptions = {},
): string {
  if (json) return JSON.stringify(plain(value)) ?? 'null';
  if (typeof value === 'string') return value;
  return inspect(value, { depth: DEPTH_MAX, maxArrayLength: ITEMS_MAX, colors });
}

/** As JSON has it: arrays of numbers become nested lists, bytes base64, big integers digits. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof NdArray) return nested(value);
  if (value instanceof Date) return value;
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as Iterable<unknown>, plain);
  }
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** Complex numbers are pairs. */
function nested({ shape, data, dtype }: NdArray): unknown {
  const elements = Array.from(data as Iterable<unknown>, plain);
  const full = dtype.startsWith('complex') ? [...shape, 2] : shape;
  const level = (from: number, depth: number): unknown => {
    const length = full[depth];
    if (length === undefined) return elements[from];
    const step = full.slice(depth + 1).reduce((all, each) => all * each, 1);
    return Array.from({ length }, (_, i) => level(from + i * step, depth + 1));
  };
  return level(0, 0);
}

/** An error for people: what, why, and Python's own last words. */
export function errorText(error: unknown): string {
  const lines = chainOf(error).map((each, i) => `${i === 0 ? '' : 'because of '}${headOf(each)}`);
  const traceback = tracebackOf(error);
  if (traceback === undefined) return lines.join('\n');
  const tail = traceback.trimEnd().split('\n').slice(-TRACEBACK_LINES);
  return [...lines, ...tail.map((line) => `  | ${line}`)].join('\n');
}

/** An error for programs, in one line. */
export function errorJson(error: unknown): string {
  const [first, ...causes] = chainOf(error).map((each) => ({
    code: isCaduceusError(each) ? each.code : each.name,
    message: each.message,
    ...(isCaduceusError(each) && each.outcome !== undefined ? { outcome: each.outcome } : {}),
    ...(isCaduceusError(each) ? { retryable: each.retryable } : {}),
  }));
  const traceback = tracebackOf(error);
  return JSON.stringify({ error: { ...first, causes, ...(traceback && { traceback }) } });
}

function headOf(error: Error): string {
  return `${isCaduceusError(error) ? error.code : error.name}: ${error.message}`;
}

/** The error and what caused it. */
function chainOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  let next = error;
  while (next instanceof Error && chain.length < CAUSES_MAX) {
    chain.push(next);
    next = next.cause;
  }
  return chain.length === 0 ? [new Error(String(error))] : chain;
}

/** Python's, of the error that lies deepest. A package that is missing needs none: it would show our own code. */
function tracebackOf(error: unknown): string | undefined {
  for (const each of [...chainOf(error)].reverse()) {
    if (isCaduceusError(each) && each.code === 'package_missing') return undefined;
    const { traceback } = each as { readonly traceback?: unknown };
    if (typeof traceback === 'string' && traceback !== '') return traceback;
  }
  return undefined;
}
