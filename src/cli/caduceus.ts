#!/usr/bin/env node
// What can be asked of the package on a command line? The commands and their options; what they do is in files of their own.
import { createRequire } from 'node:module';
import { Command } from 'commander';

const EXIT_USAGE = 2;

interface DoctorOptions {
  readonly python?: string;
  readonly json?: true;
}

const manifest = createRequire(import.meta.url)('caduceus/package.json') as {
  readonly version: string;
  readonly engines: { readonly node: string };
};

async function doctor(options: DoctorOptions): Promise<void> {
  // Only now: `--version` and `--help` need not wait for the whole runtime to load.
  const { examine } = await import('./doctor.ts');
  const { doctorText } = await import('./doctor-text.ts');
  const findings = await examine({
    version: manifest.version,
    nodeWanted: manifest.engines.node,
    python: options.python,
  });
  const text = options.json === true ? JSON.stringify(findings) : doctorText(findings);
  process.stdout.write(`${text}\n`);
  process.exitCode = findings.ok ? 0 : 1;
}

const program = new Command('caduceus')
  .description('Supervision trees whose children are Python ML workers.')
  .version(manifest.version)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));

program
  .command('doctor')
  .description('say whether workers can run here, by running one, and what to do if not')
  .option('--python <path>', 'the interpreter to look at')
  .option('--json', 'one JSON object')
  .action(doctor);

await program.parseAsync();
