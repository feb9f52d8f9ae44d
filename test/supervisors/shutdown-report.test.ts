import { describe, expect, it } from 'vitest';
import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import { isShutdownError } from '../../supervisors/shutdown-report.ts';

const REASONS: Readonly<Record<string, ExitReason>> = {
  normal: { type: 'normal' },
  shutdown: { type: 'shutdown' },
  '{shutdown, detail}': { type: 'shutdown', detail: 'why' },
  killed: { type: 'killed' },
  'exit status': { type: 'exit_status', status: 1 },
  signal: { type: 'signal', signal: 'SIGTERM' },
  timeout: { type: 'timeout', what: 'start' },
  error: { type: 'error', error: new Error('boom') },
};
const NAMES = Object.keys(REASONS);

/** The ends that are worth no report; every other one is. */
const QUIET = [
  ['static', 'brutal_kill', 'permanent', ['killed']],
  ['static', 'brutal_kill', 'transient', ['killed', 'normal', 'shutdown', '{shutdown, detail}']],
  ['static', 'brutal_kill', 'temporary', ['killed', 'normal', 'shutdown', '{shutdown, detail}']],
  ['static', 5_000, 'permanent', ['shutdown']],
  ['static', 5_000, 'transient', ['shutdown', 'normal', '{shutdown, detail}']],
  ['static', 5_000, 'temporary', ['shutdown', 'normal', '{shutdown, detail}']],
  ['static', 'infinity', 'permanent', ['shutdown']],
  ['static', 'infinity', 'transient', ['shutdown', 'normal', '{shutdown, detail}']],
  ['static', 0, 'permanent', ['shutdown']],
  ['dynamic', 'brutal_kill', 'permanent', ['killed']],
  ['dynamic', 'brutal_kill', 'transient', ['killed']],
  ['dynamic', 'brutal_kill', 'temporary', ['killed']],
  ['dynamic', 5_000, 'permanent', ['shutdown', '{shutdown, detail}']],
  ['dynamic', 5_000, 'transient', ['shutdown', '{shutdown, detail}', 'normal']],
  ['dynamic', 'infinity', 'temporary', ['shutdown', '{shutdown, detail}', 'normal']],
] as const;

describe('a child that was told to end', () => {
  const rows = QUIET.flatMap(([flavour, shutdown, restart, quiet]) =>
    NAMES.map((name) => ({
      ...{ flavour, shutdown, restart, name },
      reported: !(quiet as readonly string[]).includes(name),
    })),
  );

  it.each(rows)(
    '$flavour, $restart, $shutdown, ends with $name: reported $reported',
    ({ flavour, shutdown, restart, name, reported }) => {
      expect(isShutdownError(REASONS[name]!, shutdown, restart, flavour)).toBe(reported);
    },
  );
});
