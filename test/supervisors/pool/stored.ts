// How does a test get a router whose journals are stored?
import { routed, type RoutedOptions } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';

/** A router with a store, which may know something before. */
export function stored(
  more: RoutedOptions = {},
  prepare: (store: ScriptedStore) => void = () => undefined,
) {
  const store = new ScriptedStore();
  prepare(store);
  return { ...routed({ store, ...more }), store };
}

/** What the store of such a router knows of a scope: what these operations made. */
export const knows =
  (scope: string, op: 'create' | 'configure', ...ids: string[]) =>
  (store: ScriptedStore) =>
    store.keep(
      scope,
      ids.map((id) => ({ op, key: id, args: { id } })),
    );
