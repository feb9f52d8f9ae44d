// How does a program call a framework by the words of its adapter? As an object with a method for each operation, bound to one bridge of one runtime.
import type { CallOptions } from '../calls/call-options.ts';
import type { CallStream } from '../calls/call-stream.ts';
import type { AdapterCalls, AdapterDefinition } from './adapter.ts';
import { camelCase, type KnownMethods, type Operations } from './operation.ts';

/** An adapter in a runtime: from `runtime.registry.getAdapter(name)`. Its own methods win over those of its operations. */
export type BoundAdapter<Ops extends Operations = Operations, Methods = object> = AdapterCalls &
  Omit<KnownMethods<Ops>, keyof Methods | keyof AdapterCalls | 'then'> &
  Methods;

/** What an adapter is once it is bound. */
export type BoundOf<Adapter> =
  Adapter extends AdapterDefinition<infer Ops, infer Methods>
    ? BoundAdapter<Ops, Methods>
    : BoundAdapter;

/** Who makes the calls of a bound adapter: the handle of a bridge. */
interface Caller {
  readonly name: string;
  readonly adapter: AdapterDefinition;
  call(op: string, args?: unknown, options?: CallOptions): Promise<unknown>;
  stream<Item>(op: string, args?: unknown, options?: CallOptions): CallStream<Item>;
}

/** Bind an adapter to the bridge of this handle. */
export function bindAdapter(handle: Caller): BoundAdapter {
  const { adapter, name } = handle;
  const calls: AdapterCalls = {
    frameworkName: adapter.framework,
    bridge: name,
    supportedOperations: () => Object.keys(adapter.operations),
    executeOperation: (op, args, options) => handle.call(op, args, options),
    streamOperation: (op, args, options) => handle.stream(op, args, options),
  };
  const methods = Object.entries(adapter.operations).flatMap(([op, { stream }]) => {
    // With it, whoever awaits the adapter would call that operation and wait for ever; `executeOperation` runs it.
    if (op === 'then') return [];
    const method = (args?: unknown, options?: CallOptions): unknown =>
      stream === true ? handle.stream(op, args, options) : handle.call(op, args, options);
    return [[camelCase(op), method] as const];
  });
  // What every bound adapter has cannot be hidden by an operation of that name.
  const self = { ...Object.fromEntries(methods), ...calls } as unknown as BoundAdapter;
  return {
    ...self,
    ...adapter.methods?.(self),
  };
}
