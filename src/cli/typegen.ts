// `caduceus typegen`: how does TypeScript come to know what the operations of a bridge take and give?
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { WorkerInfo } from '../../actors/ground/worker-facts.ts';
import { InvalidConfigError } from '../../actors/ground/start-errors.ts';
import {
  bridgeNamed,
  openWorkplace,
  startOne,
  type ConfigOptions,
  type Workplace,
} from './open.ts';
import { typedBridge, typesHeader } from './templates/typed-bridge.ts';
import type { Terminal } from './terminal.ts';
import { EXIT_FAILED, UsageError } from './usage-error.ts';

export interface TypegenOptions extends ConfigOptions {
  readonly out: string;
  readonly check?: boolean | undefined;
}

/** @returns the status of the command: 1 when the file is out of date and `check` is asked for. */
export async function typegenCommand(
  terminal: Terminal,
  names: readonly string[],
  options: TypegenOptions,
): Promise<number> {
  const workplace = await openWorkplace(options);
  const asked = names.length === 0 ? workplace.own : names;
  if (asked.length === 0) throw new UsageError('no bridge is configured; name one');
  for (const name of asked) bridgeNamed(workplace, name);
  const parts: string[] = [];
  for (const name of asked) parts.push(typedBridge(name, await infoOf(terminal, workplace, name)));
  return settle(terminal, [typesHeader(asked), ...parts].join('\n'), options);
}

/** What a worker says of itself. */
async function infoOf(terminal: Terminal, workplace: Workplace, name: string): Promise<WorkerInfo> {
  const bridge = bridgeNamed(workplace, name);
  if (bridge.protocol === 'v1')
    throw new InvalidConfigError(`bridges.${name}.protocol`, 'v1 tells no types');
  // Not that it must have: it is found out here. Its first call starts it, so that nothing is missed.
  const change = { schemaHash: undefined, startup: 'lazy' as const };
  await using runtime = await startOne(terminal, workplace, name, { change });
  let info: WorkerInfo | undefined;
  runtime.on('child.ready', (ready) => {
    info = ready.info ?? info;
  });
  await runtime.pool(name).call('ping');
  if (info === undefined)
    throw new InvalidConfigError(`bridges.${name}`, 'its worker did not tell its operations');
  return info;
}

function settle(
  { output, errors }: Terminal,
  text: string,
  { out, check }: TypegenOptions,
): number {
  const file = resolve(out);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (before === text) {
    output.write(`${out} is up to date\n`);
    return 0;
  }
  if (check === true) {
    const problem = before === undefined ? 'is not there' : 'is out of date';
    errors.write(`${out} ${problem}; write it with: caduceus typegen --out ${out}\n`);
    return EXIT_FAILED;
  }
  writeFileSync(file, text);
  output.write(`${out} written\n`);
  return 0;
}
