// What is there to say of one operation of a bridge? What it takes and gives, what it changes, and how calls of it travel.
import type { StateChange } from '../../supervisors/pool/journal.ts';
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import type { StandardSchema } from './standard-schema.ts';

export type Args = Readonly<Record<string, unknown>>;

/** What a mock may use besides its arguments (`docs/ml.md` §6). */
export interface MockContext {
  /** Undefined for the anonymous scope. */
  readonly sessionId: string | undefined;
  /** A number from 0 to 1, the same for the same operation and arguments. */
  readonly random: () => number;
  /** What earlier mocks of the same scope have kept, and what this one keeps. */
  readonly state: Map<string, unknown>;
}

/** One operation of a bridge. */
export interface OperationDefinition {
  /** What it takes, as its caller writes it: any Standard Schema. What the schema makes of it goes on to `transformRequest`. */
  readonly args?: StandardSchema;
  /** What its caller gets, after `transformResponse`. */
  readonly result?: StandardSchema;
  /** What its caller reads one by one, of an operation that streams. */
  readonly item?: StandardSchema;
  /** That its handler yields: its method gives a stream. */
  readonly stream?: boolean;
  /** For people. */
  readonly description?: string;
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
  /** What test layers 1 and 2 answer in Python's place, from the arguments as sent; of one that streams an iterable of its items. It throws what the bridge would raise. */
  readonly mock?: (args: Args, context: MockContext) => unknown;
}

export type Operations = Readonly<Record<string, OperationDefinition>>;

/** `load_model` → `loadModel`. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** What a caller may give to an operation. */
export type ArgsOf<Operation> = Operation extends {
  readonly args: StandardSchema<infer Input, unknown>;
}
  ? Input
  : Args;

/** What a caller gets of it. */
export type ResultOf<Operation> = Operation extends {
  readonly result: StandardSchema<infer _Input, infer Output>;
}
  ? Output
  : unknown;

/** What a caller reads of it one by one. */
export type ItemOf<Operation> = Operation extends {
  readonly item: StandardSchema<infer _Input, infer Output>;
}
  ? Output
  : unknown;

type MethodOf<Operation> = Operation extends { readonly stream: true }
  ? Method<ArgsOf<Operation>, CallStream<ItemOf<Operation>>>
  : Method<ArgsOf<Operation>, Promise<ResultOf<Operation>>>;

type IsOptional<Given> = string extends keyof Given
  ? true
  : undefined extends Given
    ? true
    : Partial<Given> extends Given
      ? true
      : false;

/** Where nothing need be given, nothing need be written. */
type Method<Given, Answer> =
  IsOptional<Given> extends true
    ? (args?: Given, options?: CallOptions) => Answer
    : (args: Given, options?: CallOptions) => Answer;

/** A method for each operation, in camel case. */
export type OperationMethods<Ops> = {
  readonly [Name in keyof Ops & string as CamelCase<Name>]: MethodOf<Ops[Name]>;
};

/** The same, and none where the names of the operations are not known. */
export type KnownMethods<Ops> = string extends keyof Ops ? object : OperationMethods<Ops>;

/** `load_model` → `loadModel`. */
export function camelCase(name: string): string {
  return name.replaceAll(/_+([a-z0-9])/giu, (_, letter: string) => letter.toUpperCase());
}
