// What does the runtime need to know of a framework? Its operations, which of them change state, and how requests and answers look.
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import type { PoolOptions } from '../../supervisors/pool/pool-options.ts';
import { suggestion } from '../../actors/ground/nearest.ts';
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import type { Callbacks } from '../calls/callbacks.ts';
import { batchSchema } from './batch-option.ts';
import { fieldOf, findingOf } from './explain.ts';
import type { Args, KnownMethods, OperationDefinition, Operations } from './operation.ts';
import { checkPoolOptions } from './pool-schema.ts';
import { isStandardSchema } from './standard-schema.ts';
import { zygoteSchema, type ZygoteOption } from './zygote-option.ts';

export type { Args } from './operation.ts';

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

/** A layer of tests (`docs/ml.md` §6): 1 without a process, 2 a scripted process on the real wire, 3 Python. */
export type TestLayer = 1 | 2 | 3;

/** What tests may expect of an adapter (the ported design's). */
export interface TestCapabilities {
  readonly deterministicOutputs: boolean;
  readonly pythonExecution: boolean;
  readonly performance: 'fast' | 'medium' | 'slow';
  readonly framework: string;
}

/** What a runtime makes of an adapter for its methods: every operation, by name and as a method of its own. */
export interface AdapterCalls {
  readonly frameworkName: string;
  /** The bridge that it is bound to. */
  readonly bridge: string;
  /** The names of its operations. */
  supportedOperations(): readonly string[];
  /**
   * Run one operation, like `runtime.pool(bridge).call(op, args, options)`.
   * @throws a {@link CaduceusError}.
   */
  executeOperation(op: string, args?: unknown, options?: CallOptions): Promise<unknown>;
  /** Run one and read what it yields. */
  streamOperation<Item = unknown>(
    op: string,
    args?: unknown,
    options?: CallOptions,
  ): CallStream<Item>;
}

/** What there is to say of a framework, but for methods of its own. */
export interface AdapterFields<Ops extends Operations = Operations> {
  /** The framework's name, e.g. `dspy`. */
  readonly framework: string;
  /** An importable Python module with the bridge; a bridge's `scriptPath` or `pythonModule` takes its place. */
  readonly pythonModule?: string;
  /** The bridge's class there; needed when there are several, or when it is no subclass of `BaseBridge`. */
  readonly pythonClass?: string;
  /** Distributions that the interpreter must have, with versions where they matter, e.g. `['dspy>=3.4.1,<3.5']`. */
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
  readonly operations: Ops;
  readonly roles?: AdapterRoles;
  /** @throws {@link InvalidConfigError} naming the field. */
  readonly validateConfig?: (config: Args) => void;
  /** The arguments as Python expects them. */
  readonly transformRequest?: (op: string, args: Args, tools: RequestTools) => Args;
  /** What the caller gets for what Python answered. */
  readonly transformResponse?: (op: string, result: unknown) => unknown;
  /**
   * Functions that its Python side may call while it works on any call; those of the bridge's configuration and of the call win. By `execute` they run operations of the bridge:
   * in the session of the call that they are for, these are nested in it.
   */
  callbacks?(execute: AdapterCalls['executeOperation']): Callbacks;
  /** Default: layers 2 and 3, and 1 where an operation declares a `mock`. */
  readonly supportsTestLayer?: (layer: TestLayer) => boolean;
  /** Default: not deterministic, runs Python, `medium`. */
  readonly testCapabilities?: () => TestCapabilities;
}

/** The methods of its own that an adapter is to have. */
export interface OwnMethods<Ops extends Operations, Methods> {
  /** They win over those of its operations. */
  methods?(self: AdapterCalls & KnownMethods<Ops>): Methods;
}

/** What a runtime takes as an adapter. */
export interface AdapterDefinition<
  Ops extends Operations = Operations,
  Methods = object,
> extends AdapterFields<Ops> {
  methods?(self: AdapterCalls): Methods;
}

/** A framework's side in TypeScript. Made by `defineAdapter`. */
export interface Adapter<
  Ops extends Operations = Operations,
  Methods = object,
> extends AdapterDefinition<Ops, Methods> {
  readonly supportsTestLayer: (layer: TestLayer) => boolean;
  readonly testCapabilities: () => TestCapabilities;
}

/** Operations that every bridge has (the ported design's `BaseBridge`). */
export const BUILT_IN_OPERATIONS = ['ping', 'get_stats', 'get_capabilities', 'shutdown'] as const;

const ROLES = [
  ...['configure', 'create', 'execute', 'stream', 'list', 'delete', 'forget'],
  ...['snapshot', 'restore'],
];
const CHANGES = ['configure', 'create', 'update', 'delete'];
const OPERATION_KEYS = [
  ...['args', 'result', 'item', 'stream', 'description'],
  ...['change', 'key', 'idempotent', 'secrets', 'batch', 'mock'],
];

/**
 * Describe a framework. Checks what can be checked before anything is started.
 * @throws {@link InvalidConfigError} naming the field: a role that names no operation, an operation that creates or deletes without saying what (`key`), …
 */
export function defineAdapter<const Ops extends Operations, Methods extends object = object>(
  definition: AdapterFields<Ops> & OwnMethods<Ops, Methods>,
): Adapter<Ops, Methods> {
  checkAdapter(definition);
  const { framework, operations } = definition;
  const isMocked = Object.values(operations).some(({ mock }) => mock !== undefined);
  return {
    supportsTestLayer: (layer) => layer !== 1 || isMocked,
    testCapabilities: () => ({
      deterministicOutputs: false,
      pythonExecution: true,
      performance: 'medium',
      framework,
    }),
    ...definition,
  };
}

function checkAdapter(adapter: AdapterFields): void {
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
}

function checkOperation(field: string, name: string, operation: OperationDefinition): void {
  if (typeof operation !== 'object' || (operation as unknown) === null)
    refuse(field, 'must be an object; {} for one that changes nothing');
  const unknown = Object.keys(operation).find((each) => !OPERATION_KEYS.includes(each));
  if (unknown !== undefined)
    refuse(field, `${unknown} is no option; ${suggestion(unknown, OPERATION_KEYS)}`);
  const { change } = operation;
  const { key, idempotent, secrets } = operation as Readonly<Record<string, unknown>>;
  checkShape(field, operation as Readonly<Record<string, unknown>>);
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

function checkShape(field: string, operation: Readonly<Record<string, unknown>>): void {
  for (const name of ['args', 'result', 'item']) {
    const schema = operation[name];
    if (schema !== undefined && !isStandardSchema(schema))
      refuse(`${field}.${name}`, 'must be a schema, e.g. of zod (a Standard Schema)');
  }
  const { stream, description, mock } = operation;
  if (stream !== undefined && typeof stream !== 'boolean')
    refuse(`${field}.stream`, 'must be true or false');
  if (description !== undefined && typeof description !== 'string')
    refuse(`${field}.description`, 'must be a text');
  if (mock !== undefined && typeof mock !== 'function')
    refuse(`${field}.mock`, 'must be a function');
}

function checkBatch(field: string, { batch, change }: OperationDefinition): void {
  if (batch === undefined) return;
  const found = findingOf(batchSchema, batch);
  if (found !== undefined) refuse(fieldOf(field, found.path), found.problem);
  // What is journalled is replayed call by call, and must be known to have run.
  if (change !== undefined) refuse(field, 'is not for an operation that changes state');
}

function checkRoles({ roles = {}, operations }: AdapterFields): void {
  for (const [role, op] of Object.entries(roles)) {
    if (!ROLES.includes(role)) refuse(`roles.${role}`, `is no role; ${suggestion(role, ROLES)}`);
    if (!Object.hasOwn(operations, String(op)))
      refuse(`roles.${role}`, `${String(op)} is no operation`);
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
