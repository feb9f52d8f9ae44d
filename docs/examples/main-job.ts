// What does `npm start` run? The command line, signals and the exit status around the story.
import { constants } from 'node:os';

import type { Tell } from './happenings.ts';
import { HELP, parseOptions, UsageError } from './options.ts';
import { humanReport } from './report-human.ts';
import { jsonReport } from './report-json.ts';
import { runMainJob } from './story.ts';

const EXIT_USAGE = 2;
const EXIT_SIGNAL_BASE = 128;
/** npm hands on a Ctrl-C that the terminal has sent already; a person takes longer for a second one. */
const SECOND_SIGNAL_MS = 500;

/** Aborts on the first signal; a later one does not wait for the workers, which end by themselves when their parent is gone. */
function interrupted(): { readonly signal: AbortSignal; readonly status: () => number } {
  const controller = new AbortController();
  let status = 1;
  let firstAtMs = 0;
  const stop = (newStatus: number): void => {
    if (controller.signal.aborted) {
      if (performance.now() - firstAtMs > SECOND_SIGNAL_MS) process.exit(status);
      return;
    }
    status = newStatus;
    firstAtMs = performance.now();
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => stop(EXIT_SIGNAL_BASE + constants.signals[name]));
  }
  // The reader of a pipe may leave early (`| head -1`).
  process.stdout.on('error', () => stop(EXIT_SIGNAL_BASE + constants.signals.SIGPIPE));
  return { signal: controller.signal, status: () => status };
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { signal, status } = interrupted();
  const report = options.json
    ? jsonReport(process.stdout)
    : humanReport({ stdout: process.stdout, stderr: process.stderr, env: process.env });
  const tell: Tell = (happening) => {
    if (!signal.aborted) report(happening);
  };
  const { ok, processesLeft } = await runMainJob(options, tell, signal);
  if (!signal.aborted) return ok ? 0 : 1;
  process.stderr.write(`\nStopped; processes left: ${processesLeft}.\n`);
  return status();
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\nnpm start -- --help shows the options.\n`);
  process.exitCode = EXIT_USAGE;
}
