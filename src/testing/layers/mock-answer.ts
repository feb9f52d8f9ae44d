// What does a bridge's mock answer to one call? Runs it in Python's place, and gives what it made: a value, items one by one, or an error as Python would raise it.
import { errorFrom } from '../../../actors/ground/error-from.ts';
import type { RemoteError } from '../../../actors/ground/worker-facts.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import type { AdapterDefinition, Args, TestLayer } from '../../adapters/adapter.ts';
import { randomOf } from './seeded-random.ts';

/** A bridge as its mocks stand in for it. */
export interface MockedBridge {
  readonly name: string;
  readonly adapter: AdapterDefinition;
  readonly layer: TestLayer;
}

/** One call that a mock is to answer. */
export interface MockCall {
  readonly op: string;
  readonly args: Args;
  /** Undefined for the anonymous scope. */
  readonly sessionId: string | undefined;
  /** What the mocks of this scope have kept in this worker. */
  readonly state: Map<string, unknown>;
}

interface Failed {
  readonly type: 'failed';
  readonly error: RemoteError;
}

/** One step of a mock that yields. */
export type MockStep =
  { readonly type: 'item'; readonly value: unknown } | { readonly type: 'end' } | Failed;

/** The items of a mock, one for each `next`. */
export interface MockItems {
  readonly type: 'items';
  /** Never rejects. */
  readonly next: () => Promise<MockStep>;
  /** Nobody reads on: its `finally` runs. */
  readonly close: () => void;
}

/** What came of a mock. A value can be sent: that was looked at. */
export type MockAnswer = { readonly type: 'value'; readonly value: unknown } | MockItems | Failed;

/** Run the mock of one call. Never rejects. */
export async function startMock(bridge: MockedBridge, call: MockCall): Promise<MockAnswer> {
  const { op, args, sessionId, state } = call;
  const { operations, roles } = bridge.adapter;
  const definition = Object.hasOwn(operations, op) ? operations[op] : undefined;
  const isForget = roles?.forget === op;
  if (definition?.mock === undefined && !isForget)
    return { type: 'failed', error: noMock(bridge, op) };
  try {
    const made = await definition?.mock?.(args, { sessionId, random: randomOf(op, args), state });
    // Whatever its mock says of it: afterwards the session has nothing.
    if (isForget) state.clear();
    const items = itemsOf(made, definition?.stream === true);
    return items ?? { type: 'value', value: sendable(made, 'result') };
  } catch (error) {
    return { type: 'failed', error: remoteErrorOf(error) };
  }
}

/** All items of a mock that nobody reads one by one, as Python's worker collects those of a generator. */
export async function collect(items: MockItems): Promise<Exclude<MockAnswer, MockItems>> {
  const values: unknown[] = [];
  for (;;) {
    const step = await items.next();
    if (step.type === 'failed') return step;
    if (step.type === 'end') return { type: 'value', value: values };
    values.push(step.value);
  }
}

/** An error as Python would tell of it: an error's own `code`, where it is a text, is the code. */
export function remoteErrorOf(cause: unknown): RemoteError {
  const error = errorFrom(cause);
  const { code } = error as { readonly code?: unknown };
  return {
    type: error.name,
    message: error.message,
    traceback: error.stack ?? '',
    code: typeof code === 'string' && code !== '' ? code : 'python_error',
  };
}

function noMock({ name, adapter, layer }: MockedBridge, op: string): RemoteError {
  const isKnown = Object.hasOwn(adapter.operations, op);
  const mocked = Object.entries(adapter.operations).filter(([, { mock }]) => mock !== undefined);
  const names = mocked.map(([known]) => known).join(', ');
  const message = isKnown
    ? `operation ${op} of bridge ${name} declares no mock, which layer ${layer} needs; those that do: ${names}`
    : `unknown operation ${op}; bridge ${name} has mocks of ${names}`;
  const [type, code] = isKnown
    ? ['UnsupportedError', 'unsupported']
    : ['BridgeError', 'unknown_operation'];
  return { type, message, traceback: '', code };
}

/** What a generator, or anything that can be iterated where the operation streams, yields. */
function itemsOf(made: unknown, isStream: boolean): MockItems | undefined {
  const iterator = iteratorOf(made, isStream);
  if (iterator === undefined) return undefined;
  return {
    type: 'items',
    next: async () => {
      try {
        const step = await iterator.next();
        return step.done === true
          ? { type: 'end' }
          : { type: 'item', value: sendable(step.value, 'item') };
      } catch (error) {
        return { type: 'failed', error: remoteErrorOf(error) };
      }
    },
    close: () => {
      // What its `finally` throws is nobody's any more.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    },
  };
}

type AnyIterator =
  Iterator<unknown, unknown, undefined> | AsyncIterator<unknown, unknown, undefined>;

function iteratorOf(made: unknown, isStream: boolean): AnyIterator | undefined {
  if (typeof made !== 'object' || made === null) return undefined;
  const isGenerator = 'next' in made && typeof made.next === 'function';
  if (!isGenerator && !isStream) return undefined;
  if (Symbol.asyncIterator in made)
    return (made as AsyncIterable<unknown, unknown, undefined>)[Symbol.asyncIterator]();
  if (Symbol.iterator in made)
    return (made as Iterable<unknown, unknown, undefined>)[Symbol.iterator]();
  return undefined;
}

/** @throws what the wire says of a value that cannot be sent. */
function sendable(value: unknown, path: string): unknown {
  if (value === undefined) return null;
  encodeValue(value, path);
  return value;
}
