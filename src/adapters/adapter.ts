// What does the runtime need to know of a framework? Its operations, which of them change state, and how requests and answers look.
import type { StateChange } from '../../supervisors/pool/journal.ts';

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

/**
 * Describe a framework. Checks what can be checked before anything is started.
 * @throws {TypeError} when a role names an operation that is not there.
 */
export function defineAdapter(adapter: Adapter): Adapter {
  for (const [role, op] of Object.entries(adapter.roles ?? {})) {
    if (!(String(op) in adapter.operations)) {
      throw new TypeError(
        `adapter ${adapter.framework}: role ${role} names ${String(op)}, which is no operation of it`,
      );
    }
  }
  return adapter;
}
