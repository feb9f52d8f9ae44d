// What does the runtime need to know of a framework? Its operations, which of them change state, and how requests and answers look.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { StateChange } from '../../supervisors/pool/journal.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import { suggestion } from '../../actors/ground/nearest.ts';
import { batchSchema } from './batch-option.ts';
import { fieldOf, findingOf } from './explain.ts';
import { checkPoolOptions } from './pool-schema.ts';
import { zygoteSchema, type ZygoteOption } from './zygote-option.ts';

export type Args = Readonly<Record<string, unknown>>;

/** One operation of a bridge. */
export interface OperationDefinition {
  /**
   * What it does to the state of its scope. Such an operation is journalled once it has succeeded, and replayed on every later incarnation before
   * the first call there that needs it.
   */
  readonly change?: StateChange;
  /** The thing that a `create`, `update` or `delete` is about, from the arguments as sent: all three must name it alike. */
  readonly key?: (args: Args) => string;
  /** That running it twice is as good as once: then it is tried again also when it may have run. Default: it is not. */
  readonly idempotent?: boolean;
  /** Arguments, as sent, that are never stored: a journal's store has a name in their place. */
  readonly secrets?: readonly string[];
  /**
   * Calls of it that are made without a session at about the same time become one call to Python: at most `maxSize` of them, the first held back for at most `maxWaitMs`
   * while a worker is idle. A handler that is `batched` gets all of them at once, any other one after the other; each caller has its own answer. Not for one that changes state.
   */
  readonly batch?: { readonly maxSize: number; readonly maxWaitMs: number };
}

/** Which operation the unified calls of `runtime.ml` mean. */
export interface AdapterRoles {
  readonly configure?: string;
  readonly create?: string;
  readonly execute?: string;
  /** Like `execute`, item by item. Default: the operation of `execute`, called as a stream. */
  readonly stream?: string;
  readonly list?: string;
  readonly delete?: string;
  /** Drops what a session made, in the worker that holds it. */
  readonly forget?: string;
  /** Gives a session's state as a value, from which `restore` makes it again: then a journal needs no more than that. Both or neither. */
  readonly snapshot?: string;
  /** Is given what `snapshot` gave, as the argument `state`. */
  readonly restore?: string;
}

/** What `transformRequest` may use besides its arguments. */
export interface RequestTools {
  /** A new id that carries the bridge's name, e.g. `dspy_V1StGXR8…`. Minted here, so that a replay gives the same one. */
  readonly newId: () => string;
}

/** A framework's side in TypeScript. Made by `defineAdapter`. */
export interface Adapter {
  /** The framework's name, e.g. `dspy`. */
  readonly framework: string;
  /** An importable Python module with the bridge class; a bridge's `scriptPath` takes its place. */
  readonly pythonModule?: string;
  /** Distributions that the interpreter must have, e.g. `['dspy']`. */
  readonly requiredPackages?: readonly string[];
  /** The oldest Python that the framework runs on, e.g. `3.10`. */
  readonly minPythonVersion?: string;
  /** Environment variables of its workers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its workers are forked from a process that has done their imports, and which; a bridge's own `zygote` wins. Default: yes, with none but ours. */
  readonly zygote?: ZygoteOption;
  /** Defaults of its pools; a bridge's own options win. */
  readonly pool?: PoolOptions;
  /** By name. Without any, every operation is passed through unchecked and none is journalled. */
  readonly operations: Readonly<Record<string, OperationDefinition>>;
  readonly roles?: AdapterRoles;
  /** @throws {@link InvalidConfigError} naming the field. */
  readonly validateConfig?: (config: Args) => void;
  /** The arguments as Python expects them. */
  readonly transformRequest?: (op: string, args: Args, tools: RequestTools) => Args;
  /** What the caller gets for what Python answered. */
  readonly transformResponse?: (op: string, result: unknown) => unknown;
}

/** Operations that every bridge has (the ported design's `BaseBridge`). */
export const BUILT_IN_OPERATIONS = ['ping', 'get_stats', 'get_capabilities', 'shutdown'] as const;

const ROLES = [
  ...['configure', 'create', 'execute', 'stream', 'list', 'delete', 'forget'],
  ...['snapshot', 'restore'],
];
const CHANGES = ['configure', 'create', 'update', 'delete'];
const OPERATION_KEYS = ['change', 'key', 'idempotent', 'secrets', 'batch'];

/**
 * Describe a framework. Checks what can be checked before anything is started.
 * @throws {@link InvalidConfigError} naming the field: a role that names no operation, an operation that creates or deletes without saying what (`key`), …
 */
export function defineAdapter(adapter: Adapter): Adapter {
  const { framework, operations } = adapter as { framework?: unknown; operations?: unknown };
  if (typeof framework !== 'string' || framework === '')
    refuse('framework', 'must name the framework');
  if (typeof operations !== 'object' || operations === null)
    refuse('operations', 'must be an object');
  const zygote = findingOf(zygoteSchema.optional(), adapter.zygote);
  if (zygote !== undefined) refuse(fieldOf('zygote', zygote.path), zygote.problem);
  if (adapter.pool !== undefined) checkPoolOptions(adapter.pool, 'adapter.pool');
  for (const [name, operation] of Object.entries(adapter.operations)) {
    checkOperation(`operations.${name}`, name, operation);
  }
  checkRoles(adapter);
  return adapter;
}

function checkOperation(field: string, name: string, operation: OperationDefinition): void {
  if (typeof operation !== 'object' || (operation as unknown) === null)
    refuse(field, 'must be an object; {} for one that changes nothing');
  const unknown = Object.keys(operation).find((each) => !OPERATION_KEYS.includes(each));
  if (unknown !== undefined)
    refuse(field, `${unknown} is no option; ${suggestion(unknown, OPERATION_KEYS)}`);
  const { change } = operation;
  const { key, idempotent, secrets } = operation as Readonly<Record<string, unknown>>;
  if (key !== undefined && typeof key !== 'function') refuse(`${field}.key`, 'must be a function');
  if (idempotent !== undefined && typeof idempotent !== 'boolean')
    refuse(`${field}.idempotent`, 'must be true or false');
  if (secrets !== undefined && !isTexts(secrets))
    refuse(`${field}.secrets`, 'must be a list of names of arguments');
  checkBatch(`${field}.batch`, operation);
  if (change === undefined) return;
  if (!CHANGES.includes(change)) refuse(`${field}.change`, `must be one of ${CHANGES.join(', ')}`);
  // Without it all things made by this operation would be one to the journal, and only the last would be rebuilt.
  if (change !== 'configure' && key === undefined)
    refuse(`${field}.key`, `is needed: which thing does ${name} ${change}?`);
}

function checkBatch(field: string, { batch, change }: OperationDefinition): void {
  if (batch === undefined) return;
  const found = findingOf(batchSchema, batch);
  if (found !== undefined) refuse(fieldOf(field, found.path), found.problem);
  // What is journalled is replayed call by call, and must be known to have run.
  if (change !== undefined) refuse(field, 'is not for an operation that changes state');
}

function checkRoles({ roles = {}, operations }: Adapter): void {
  for (const [role, op] of Object.entries(roles)) {
    if (!ROLES.includes(role)) refuse(`roles.${role}`, `is no role; ${suggestion(role, ROLES)}`);
    if (!(String(op) in operations)) refuse(`roles.${role}`, `${String(op)} is no operation`);
  }
  const { snapshot, restore } = roles;
  if ((snapshot === undefined) !== (restore === undefined)) {
    const missing = snapshot === undefined ? 'snapshot' : 'restore';
    refuse(`roles.${missing}`, 'is needed: snapshot and restore belong together');
  }
  for (const role of ['snapshot', 'restore'] as const) {
    const op = roles[role];
    if (op !== undefined && operations[op]?.change !== undefined)
      refuse(`operations.${op}.change`, `is not for the role ${role}: the pool journals it itself`);
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '');
}

function refuse(field: string, problem: string): never {
  throw new InvalidConfigError(`adapter.${field}`, problem);
}
