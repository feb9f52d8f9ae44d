// Which adapter does a bridge of a configuration file have? A built-in one by its name, one of a module by its path, or one that passes everything through.
import { resolve } from 'node:path';

import { suggestion } from '../actors/ground/nearest.ts';
import { InvalidConfigError } from '../actors/ground/start-errors.ts';
import { defineAdapter, type AdapterDefinition } from './adapters/adapter.ts';
import { BUILT_IN_ADAPTERS, isBuiltIn } from './adapters/built-in.ts';
import { isPlain } from './config-merge.ts';
import { importFile } from './module-file.ts';

/**
 * The same configuration with an adapter for each bridge that is described by data.
 * @param folder what paths are relative to.
 * @throws {@link InvalidConfigError} naming the field.
 */
export async function resolveAdapters(
  config: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<Record<string, unknown>> {
  const { bridges } = config;
  if (!isPlain(bridges)) return { ...config };
  const pairs = Object.entries(bridges).map(async ([name, bridge]) => {
    if (!isPlain(bridge)) return [name, bridge] as const;
    const field = `bridges.${name}.adapter`;
    return [name, { ...bridge, adapter: await adapterOf(name, bridge, field, folder) }] as const;
  });
  return { ...config, bridges: Object.fromEntries(await Promise.all(pairs)) };
}

async function adapterOf(
  name: string,
  { adapter, ...bridge }: Readonly<Record<string, unknown>>,
  field: string,
  folder: string,
): Promise<unknown> {
  if (typeof adapter === 'string') {
    return /^\.{0,2}\//u.test(adapter)
      ? adapterFrom(resolve(folder, adapter), field)
      : builtIn(adapter, field);
  }
  if (adapter !== undefined) return adapter;
  const isElsewhere = 'scriptPath' in bridge || 'pythonModule' in bridge;
  if (!isElsewhere && isBuiltIn(name)) return builtIn(name, field);
  return defineAdapter({ framework: name, operations: {} });
}

function builtIn(name: string, field: string): AdapterDefinition {
  if (isBuiltIn(name)) return BUILT_IN_ADAPTERS[name]();
  const known = suggestion(name, Object.keys(BUILT_IN_ADAPTERS));
  throw new InvalidConfigError(
    field,
    `${name} is no adapter that comes with the package; ${known}`,
  );
}

/** The default export, or the only adapter that the module exports. */
async function adapterFrom(file: string, field: string): Promise<AdapterDefinition> {
  const { default: main, ...others } = await importFile(file);
  if (isAdapter(main)) return main;
  const found = Object.values(others).filter(isAdapter);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new InvalidConfigError(
    field,
    first === undefined ? `${file} exports no adapter` : `${file} exports several adapters`,
  );
}

function isAdapter(value: unknown): value is AdapterDefinition {
  return (
    typeof value === 'object' && value !== null && 'framework' in value && 'operations' in value
  );
}
