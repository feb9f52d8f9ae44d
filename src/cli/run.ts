// `caduceus run`: how is a configuration tried out by hand?
import { basename } from 'node:path';

import { createRuntime } from '../runtime.ts';
import { openWorkplace, quietly, showOutput, type ConfigOptions } from './open.ts';
import { Repl } from './repl.ts';
import { withProgress, type Terminal } from './terminal.ts';

/**
 * Start what is configured, deal with the lines of the input, and stop.
 * @returns the status of the command.
 */
export async function runCommand(terminal: Terminal, options: ConfigOptions): Promise<number> {
  const workplace = await openWorkplace(options);
  const { config, file, own, bridges } = workplace;
  const awaited = own.filter((name) => (bridges.get(name)?.startup ?? 'await') === 'await');
  const what = `starting ${awaited.length === 0 ? 'the runtime' : awaited.join(', ')}`;
  await using runtime = await withProgress(terminal, what, () => createRuntime(quietly(config)));
  showOutput(runtime, terminal);
  if (terminal.input.isTTY === true) {
    const source = file === undefined ? 'no configuration' : basename(file);
    terminal.errors.write(
      `${source}: ${[...bridges.keys()].join(', ')}. .help says what can be done.\n`,
    );
  }
  // Awaited here: the runtime is stopped when this function is left.
  return await new Repl(terminal, runtime, [...bridges.keys()]).run(awaited);
}
