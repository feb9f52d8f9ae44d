// `caduceus list`: which bridges are there, and where is each of them?
import { existsSync } from 'node:fs';
import { basename, relative } from 'node:path';

import { adapterOf, type BridgeConfig } from '../config.ts';
import { openWorkplace, type ConfigOptions } from './open.ts';
import type { Terminal } from './terminal.ts';

/** One bridge, as far as it is known without asking Python. */
interface Listed {
  readonly name: string;
  readonly framework: string;
  /** Where it is configured; null: it comes with the package. */
  readonly from: string | null;
  readonly isDefault: boolean;
  readonly scriptPath: string | null;
  /** Whether the script is there; null where there is none to be. */
  readonly scriptExists: boolean | null;
  readonly pythonModule: string | null;
  readonly requiredPackages: readonly string[];
  readonly operations: readonly string[];
}

/** @returns the status of the command. */
export async function listCommand(
  { output }: Terminal,
  options: ConfigOptions & { readonly json?: boolean },
): Promise<number> {
  const { bridges, own, config, file } = await openWorkplace(options);
  const from = file === undefined ? 'the environment' : basename(file);
  const listed = [...bridges].map(([name, bridge]): Listed => ({
    ...listedOf(name, bridge),
    from: own.includes(name) ? from : null,
    isDefault: name === (config.default ?? defaultOf(own)),
  }));
  output.write(
    `${options.json === true ? JSON.stringify({ file, bridges: listed }) : textOf(listed)}\n`,
  );
  return 0;
}

function defaultOf(own: readonly string[]): string {
  return own.includes('dspy') ? 'dspy' : (own[0] ?? 'dspy');
}

function listedOf(name: string, bridge: BridgeConfig): Omit<Listed, 'from' | 'isDefault'> {
  const adapter = adapterOf(name, bridge);
  const { scriptPath } = bridge;
  const module = bridge.pythonModule ?? adapter.pythonModule;
  return {
    name,
    framework: adapter.framework,
    scriptPath: scriptPath ?? null,
    scriptExists: scriptPath === undefined ? null : existsSync(scriptPath),
    pythonModule: scriptPath === undefined ? (module ?? null) : null,
    requiredPackages: [...(adapter.requiredPackages ?? []), ...(bridge.requiredPackages ?? [])],
    operations: Object.keys(adapter.operations),
  };
}

function textOf(listed: readonly Listed[]): string {
  const rows = listed.map((each) => [
    `${each.name}${each.isDefault ? ' *' : ''}`,
    each.from ?? 'built in',
    placeOf(each),
    each.requiredPackages.length === 0 ? '' : `needs ${each.requiredPackages.join(', ')}`,
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function placeOf({ scriptPath, scriptExists, pythonModule }: Listed): string {
  if (scriptPath === null) return pythonModule ?? 'nowhere';
  const path = relative(process.cwd(), scriptPath);
  const shown = path.startsWith('..') ? scriptPath : path;
  return scriptExists === true ? shown : `${shown} (missing)`;
}
