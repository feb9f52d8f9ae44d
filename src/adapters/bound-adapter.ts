// How does a program call a framework by the words of its adapter? As an object with a method for each operation, bound to one bridge of one runtime.
import type { BridgeHandle } from '../bridge-handle.ts';
import type { CallOptions } from '../call-options.ts';
import type { AdapterCalls, AdapterDefinition } from './adapter.ts';
import { camelCase, type Operations, type OperationMethods } from './operation.ts';

/** An adapter in a runtime: from `runtime.registry.getAdapter(name)`. Its own methods win over those of its operations. */
export type BoundAdapter<Ops extends Operations = Operations, Methods = object> = AdapterCalls &
  Omit<OperationMethods<Ops>, keyof Methods | keyof AdapterCalls> &
  Methods;

/** What an adapter is once it is bound. */
export type BoundOf<Adapter> =
  Adapter extends AdapterDefinition<infer Ops, infer Methods>
    ? BoundAdapter<Ops, Methods>
    : BoundAdapter;

/** Bind an adapter to the bridge of this handle. */
export function bindAdapter(handle: BridgeHandle): BoundAdapter {
  const { adapter, name } = handle;
  const calls: AdapterCalls = {
    frameworkName: adapter.framework,
    bridge: name,
    supportedOperations: () => Object.keys(adapter.operations),
    executeOperation: (op, args, options) => handle.call(op, args, options),
    streamOperation: (op, args, options) => handle.stream(op, args, options),
  };
  const methods = Object.entries(adapter.operations).map(([op, { stream }]) => {
    const method = (args?: unknown, options?: CallOptions): unknown =>
      stream === true ? handle.stream(op, args, options) : handle.call(op, args, options);
    return [camelCase(op), method] as const;
  });
  // What every bound adapter has cannot be hidden by an operation of that name.
  const self = { ...Object.fromEntries(methods), ...calls } as unknown as BoundAdapter;
  return {
    ...self,
    ...adapter.methods?.(self as Parameters<NonNullable<AdapterDefinition['methods']>>[0]),
  };
}
