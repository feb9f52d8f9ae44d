// Which frameworks are there without anything being configured? Their adapters by name.
import type { AdapterDefinition } from './adapter.ts';
import { dspy } from './dspy.ts';
import { langchain } from './langchain.ts';
import { sklearn } from './sklearn.ts';
import { transformers } from './transformers.ts';

/** What makes each of them. */
export const BUILT_IN_ADAPTERS = { dspy, langchain, transformers, sklearn } as const;

/** The name of a built-in bridge, and of its adapter. */
export type BuiltInName = keyof typeof BUILT_IN_ADAPTERS;

/** What a built-in adapter is, by its name. */
export type BuiltInAdapter<Name extends BuiltInName> = ReturnType<(typeof BUILT_IN_ADAPTERS)[Name]>;

export function isBuiltIn(value: unknown): value is BuiltInName {
  return typeof value === 'string' && Object.hasOwn(BUILT_IN_ADAPTERS, value);
}

/** All of them. */
export function builtInAdapters(): readonly (readonly [BuiltInName, AdapterDefinition])[] {
  const names = Object.keys(BUILT_IN_ADAPTERS) as BuiltInName[];
  return names.map((name) => [name, BUILT_IN_ADAPTERS[name]()]);
}
