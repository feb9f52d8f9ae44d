// What does the runtime need to know of a framework? Its operations, which of them change state, and how requests and answers look.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { StateChange } from '../../supervisors/pool/journal.ts';
import { zygoteSchema, type ZygoteOption } from './zygote-option.ts';

export type Args = Readonly<Record<string, unknown>>;

/** One operation of a bridge. */
export interface OperationDefinition {
  /**
   * What it does to the state of its scope. Such an operation is journalled once it has succeeded, and replayed on every later incarnation before
   * the first call there that needs it.
   */
  readonly change?: StateChange;
  /** The thing that a `create` or `delete` is about, from the arguments as sent: the two must name it alike. */
  readonly key?: (args: Args) => string;
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

const ROLES = ['configure', 'create', 'execute', 'stream', 'list', 'delete', 'forget'];
const CHANGES = ['configure', 'create', 'delete'];

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
  const zygote = zygoteSchema.optional().safeParse(adapter.zygote);
  if (!zygote.success) refuse('zygote', zygote.error.issues[0]?.message ?? 'is invalid');
  for (const [name, { change, key }] of Object.entries(adapter.operations)) {
    if (change === undefined) continue;
    if (!CHANGES.includes(change))
      refuse(`operations.${name}.change`, `must be one of ${CHANGES.join(', ')}`);
    // Without it all things made by this operation would be one to the journal, and only the last would be rebuilt.
    if (change !== 'configure' && key === undefined) {
      refuse(`operations.${name}.key`, `is needed: which thing does ${name} ${change}?`);
    }
  }
  for (const [role, op] of Object.entries(adapter.roles ?? {})) {
    if (!ROLES.includes(role)) refuse(`roles.${role}`, `is no role; there are ${ROLES.join(', ')}`);
    if (!(String(op) in adapter.operations))
      refuse(`roles.${role}`, `${String(op)} is no operation`);
  }
  return adapter;
}

function refuse(field: string, problem: string): never {
  throw new InvalidConfigError(`adapter.${field}`, problem);
}
