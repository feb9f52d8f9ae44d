// `caduceus validate`: could the bridges start here, and what is to be done where not? No worker is started.
import type { BridgeReport } from '../registry/bridge-report.ts';
import { validateBridge } from '../registry/validate-bridge.ts';
import { openWorkplace, type ConfigOptions } from './open.ts';
import { withProgress, type Terminal } from './terminal.ts';
import { EXIT_FAILED, UsageError } from './usage-error.ts';

/** @returns the status of the command: 1 when something is wrong with one of them. */
export async function validateCommand(
  terminal: Terminal,
  names: readonly string[],
  options: ConfigOptions & { readonly json?: boolean },
): Promise<number> {
  const { bridges, own, config } = await openWorkplace(options);
  const asked = names.length === 0 ? own : names;
  if (asked.length === 0)
    throw new UsageError(`no bridge is configured; name one of ${[...bridges.keys()].join(', ')}`);
  const reports: BridgeReport[] = [];
  // One after the other: each imports what it needs, which takes memory and both cores.
  for (const name of asked) {
    const report = await withProgress(terminal, `looking at ${name}`, () =>
      validateBridge(name, bridges.get(name), {
        python: config.python,
        known: [...bridges.keys()],
      }),
    );
    reports.push(report);
    if (options.json !== true) terminal.output.write(`${textOf(report)}\n`);
  }
  const ok = reports.every((report) => report.ok);
  if (options.json === true) terminal.output.write(`${JSON.stringify({ ok, bridges: reports })}\n`);
  return ok ? 0 : EXIT_FAILED;
}

function textOf({ bridge, ok, python, packages, problems }: BridgeReport): string {
  const installed = packages.flatMap(({ name, found }) =>
    found === null ? [] : [`${name} ${found}`],
  );
  const on = python === undefined ? [] : [`Python ${python.version}`, ...installed];
  return [
    `${ok ? '✓' : '✗'} ${[bridge, ...on].join(', ')}`,
    ...problems.flatMap(({ code, message, advice }) => [
      `    ${code}: ${message}`,
      `    What to do: ${advice}`,
    ]),
  ].join('\n');
}
