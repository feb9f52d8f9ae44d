// Would Python take these arguments? By the JSON Schemas with which a bridge describes its operations, asked before anything is sent.
import { z } from 'zod';

import { checkBy, type Checked, type StandardSchema } from './standard-schema.ts';

/** By operation, as a worker told when it was ready. */
export type OperationSchemas = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What one bridge's workers say of their operations: of the newest one, since those before it are on their way out. */
export class PythonSchemas {
  #schemas: OperationSchemas = {};
  #hash = '';
  /** Made when first needed. Undefined: there is nothing to check by. */
  readonly #checks = new Map<string, StandardSchema | undefined>();

  get all(): OperationSchemas {
    return this.#schemas;
  }

  /** A worker is ready and has told. */
  learn(schemas: OperationSchemas, hash: string): void {
    if (hash === this.#hash) return;
    this.#hash = hash;
    this.#schemas = schemas;
    this.#checks.clear();
  }

  /** Whether it would. What nobody has described is taken, and values without names are Python's to bind. */
  check(op: string, args: unknown): Checked {
    if (this.#hash === '' || isPositional(args)) return { type: 'good', value: args };
    if (!this.#checks.has(op)) this.#checks.set(op, checkOf(this.#schemas[op]?.['args']));
    const schema = this.#checks.get(op);
    if (schema === undefined) return { type: 'good', value: args };
    const checked = checkBy(schema, args);
    // JSON Schema knows no big integers, no infinities and no arrays of numbers; Python does.
    if (checked.type === 'good' || exceedsJson(args, DEPTH_MAX))
      return { type: 'good', value: args };
    // As it is sent: what is undefined is left out.
    return checkBy(schema, JSON.parse(JSON.stringify(args)) as unknown);
  }
}

/** `{"*": [value, …]}`: see `docs/ml.md` §1. */
function isPositional(args: unknown): boolean {
  if (typeof args !== 'object' || args === null) return false;
  const [name, ...others] = Object.keys(args);
  return name === '*' && others.length === 0 && Array.isArray((args as { '*': unknown })['*']);
}

/** Deeper than this nothing can be sent. */
const DEPTH_MAX = 100;

/** Whether there is something in it that crosses the wire but is not JSON. */
function exceedsJson(value: unknown, depthMax: number): boolean {
  if (typeof value === 'number') return !Number.isFinite(value) || beyondSafe(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint';
  if (depthMax === 0) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return true;
  return Object.values(value).some((each) => exceedsJson(each, depthMax - 1));
}

function beyondSafe(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** A schema that this zod cannot read leaves the check to Python, which makes it anyway. */
function checkOf(schema: unknown): StandardSchema | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { $defs = {} } = schema as { readonly $defs?: object };
  // Models of pydantic, which takes more than its schemas say (a number as a text, dates in other forms), and records within themselves: Python's to check.
  const open = Object.fromEntries(Object.keys($defs).map((name) => [name, {}]));
  try {
    return z.fromJSONSchema({ ...schema, $defs: open });
  } catch {
    return undefined;
  }
}
