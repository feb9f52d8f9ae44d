#!/usr/bin/env node
// What can be asked of the package on a command line? The commands and their options; what they do is in files of their own.
import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';

import { systemTerminal } from './terminal.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, UsageError } from './usage-error.ts';

const manifest = createRequire(import.meta.url)('caduceus/package.json') as {
  readonly version: string;
  readonly engines: { readonly node: string };
};

/** What a command comes to is the status of the process. */
async function settle(act: Promise<number>): Promise<void> {
  // What a command does is loaded only now: `--version` and `--help` need not wait for the whole runtime.
  try {
    const status = await act;
    // Something may still be starting; the guardian of the run ends what it has started.
    if (status === EXIT_INTERRUPTED) process.exit(status);
    process.exitCode = status;
  } catch (error) {
    const { errorText } = await import('./show.ts');
    const isUsage = error instanceof UsageError;
    process.stderr.write(`${isUsage ? `error: ${error.message}` : errorText(error)}\n`);
    process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be above 0.');
}

function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

const config = (): Option =>
  new Option('-c, --config <file>', 'the configuration (default: caduceus.config.* here)');

const program = new Command('caduceus')
  .description('Supervision trees whose children are Python ML workers.')
  .version(manifest.version)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));

program
  .command('init')
  .description('write a bridge in Python, its adapter, a test and its configuration')
  .argument('<name>', 'what the bridge is called')
  .option(
    '-t, --template <form>',
    'operations (methods with hints) or table (handlers)',
    'operations',
  )
  .action(async (name: string, options: { template: string }) => {
    const { initCommand } = await import('./init.ts');
    await settle(initCommand(systemTerminal, name, options));
  });

program
  .command('run')
  .description('start what is configured, and call its operations by hand')
  .addOption(config())
  .action(async (options: { config?: string }) => {
    const { runCommand } = await import('./run.ts');
    await settle(runCommand(systemTerminal, options));
  });

program
  .command('call')
  .description('run one operation and print what it gives')
  .argument('<bridge.operation>')
  .argument(
    '[arguments]',
    'JSON: an object, or one value for the first parameter; - reads it from stdin',
    '',
  )
  .addOption(config())
  .option('-s, --session <id>', 'the session that it belongs to')
  .option('--timeout-ms <ms>', 'how long it may take', positive)
  .option('--stream', 'print what it yields, one by one')
  .option('--json', 'print JSON, each value in one line')
  .action(async (target: string, args: string, options: object) => {
    const { callCommand } = await import('./call.ts');
    await settle(callCommand(systemTerminal, target, args, options));
  });

program
  .command('list')
  .description('say which bridges there are')
  .addOption(config())
  .option('--json', 'one JSON object')
  .action(async (options: object) => {
    const { listCommand } = await import('./list.ts');
    await settle(listCommand(systemTerminal, options));
  });

program
  .command('validate')
  .description('say what keeps bridges from starting: scripts, interpreters, packages')
  .argument('[bridges...]', 'which (default: those of the configuration)')
  .addOption(config())
  .option('--json', 'one JSON object')
  .action(async (names: string[], options: object) => {
    const { validateCommand } = await import('./validate.ts');
    await settle(validateCommand(systemTerminal, names, options));
  });

program
  .command('typegen')
  .description('write the TypeScript types of what the operations take and give')
  .argument('[bridges...]', 'which (default: those of the configuration)')
  .addOption(config())
  .requiredOption('-o, --out <file>', 'the file to write')
  .option('--check', 'write nothing, and fail when the file is out of date')
  .action(async (names: string[], options: { out: string }) => {
    const { typegenCommand } = await import('./typegen.ts');
    await settle(typegenCommand(systemTerminal, names, options));
  });

program
  .command('migrate')
  .description('rewrite a bridge with a table of handlers as methods with @operation')
  .argument('<bridge.py>', 'the file; without --write the difference is shown, and nothing changed')
  .option('-w, --write', 'change the file')
  .option('--python <path>', 'the interpreter that reads it')
  .action(async (file: string, options: object) => {
    const { migrateCommand } = await import('./migrate.ts');
    await settle(migrateCommand(systemTerminal, file, options));
  });

program
  .command('doctor')
  .description('say whether workers can run here, by running one, and what to do if not')
  .option('--python <path>', 'the interpreter to look at')
  .option('--bridge <name>', 'a built-in bridge that must run (repeatable; default: dspy)', several)
  .option('--fix', 'make .venv here, and install into it what these bridges need')
  .option('--json', 'one JSON object')
  .action(async (options: object) => {
    const { doctorCommand } = await import('./doctor-command.ts');
    const release = { version: manifest.version, nodeWanted: manifest.engines.node };
    await settle(doctorCommand(systemTerminal, options, release));
  });

await program.parseAsync();
