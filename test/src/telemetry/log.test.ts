// Does the log say each thing once, at a sensible level, and never more than it must?
import { pino, type Logger } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { Bus } from '../../../actors/ground/bus.ts';
import type { Offender } from '../../../actors/ground/supervision-facts.ts';
import { defaultLogger, logEvents } from '../../../src/telemetry/log.ts';
import { startSupervisor } from '../../../supervisors/start-supervisor.ts';
import type { SupervisorFlags } from '../../../supervisors/supervisor-flags.ts';
import { DIED, gated, std, type Gate } from '../../conformance/children.ts';
import { virtualSystem } from '../../support/virtual-system.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function collecting(level = 'debug'): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const logger = pino({ level }, { write: (text: string) => lines.push(JSON.parse(text) as Line) });
  return { logger, lines };
}

const textsOf = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ level, msg }) => `${pino.levels.labels[level]} ${msg}`);

async function logged(level: string, flags: SupervisorFlags) {
  const world = virtualSystem();
  const { logger, lines } = collecting(level);
  const end = logEvents(world.bus, logger);
  const sup = await world.settled(startSupervisor(flags, world));
  const tell = async (id: string, type: string): Promise<void> => {
    const { child } = await world.settled(sup.whichChild(id));
    (child as { send: (event: { type: string }) => void }).send({ type });
    await world.settle();
  };
  return { world, sup, lines, tell, end };
}

describe('a crash of an actor that is restarted', () => {
  it('is two lines at the default level: what happened, and what is done about it', async () => {
    const { lines, tell } = await logged('warn', { children: [{ id: 'a', start: std }] });
    await tell('a', 'die');
    expect(textsOf(lines)).toEqual([
      'error Supervisor: root. Context: child_terminated. Reason: Error: died. Offender: id=a,pid=root/a#1.',
      'warn Supervisor: root. Child: id=a,pid=root/a#1. Reason: Error: died. Verdict: restart (within the restart intensity; 1 of 3 restarts in 5000 ms). Starts: a. Next: start.',
    ]);
    expect(lines[0]).toMatchObject({
      ...{ supervisor: 'root', errorContext: 'child_terminated', reason: 'Error: died' },
      offender: { id: 'a', pid: 'root/a#1', restart: 'permanent', type: 'worker' },
      err: { message: 'died', stack: DIED.stack },
    });
    expect(lines[1]).toMatchObject({
      ...{ verdict: 'restart', restartsInWindow: 1, next: 'start', starts: ['a'] },
      ...{ errorContext: 'child_terminated', offender: { id: 'a' } },
    });
  });

  it('adds only the progress at info', async () => {
    const { lines, tell } = await logged('info', { children: [{ id: 'a', start: std }] });
    await tell('a', 'die');
    const levels = textsOf(lines).map((text) => text.slice(0, text.indexOf('. ')));
    expect(levels).toEqual([
      'info Supervisor: root',
      'error Supervisor: root',
      'warn Supervisor: root',
      'info Supervisor: root',
    ]);
    expect(lines.at(-1)?.msg).toBe('Supervisor: root. Started: id=a,pid=root/a#2.');
  });
});

describe('what went as it was meant to', () => {
  it('is below the default level: a normal end, an automatic shutdown, a stop', async () => {
    const children = [
      { id: 'a', start: std, restart: 'transient', significant: true },
      { id: 'b', start: std, restart: 'temporary' },
      { id: 'c', start: std, restart: 'transient' },
    ] as const;
    const flags = { autoShutdown: 'any_significant', children } as const;
    const quiet = await logged('warn', flags);
    const info = await logged('info', flags);
    for (const { tell } of [quiet, info]) for (const id of ['b', 'c', 'a']) await tell(id, 'stop');
    expect(quiet.lines).toEqual([]);
    expect(info.lines.slice(3).map(({ verdict, msg }) => verdict ?? msg)).toEqual([
      ...['remove', 'keep_down', 'auto_shutdown'],
      'supervisor root ended: shutdown',
    ]);
  });
});

describe('giving up', () => {
  it('is an error with OTP’s reason, and what follows', async () => {
    const gate: Gate = { starts: 'pass' };
    const { lines, tell } = await logged('warn', {
      maxRestarts: 1,
      children: [
        { id: 'a', start: std },
        { id: 'g', start: gated(gate) },
      ],
    });
    gate.starts = 'fail';
    await tell('g', 'die');
    expect(textsOf(lines).map((text) => text.replace(/Offender.*|Child: [^.]*\. /u, ''))).toEqual([
      'error Supervisor: root. Context: child_terminated. Reason: Error: died. ',
      'warn Supervisor: root. Reason: Error: died. Verdict: restart (within the restart intensity; 1 of 1 restarts in 5000 ms). Starts: g. Next: start.',
      'error Supervisor: root. Context: start_error. Reason: Error: the gate is shut. ',
      'error Supervisor: root. Context: shutdown. Reason: reached_max_restart_intensity. ',
      'warn Supervisor: root. Reason: Error: the gate is shut. Verdict: give_up (reached_max_restart_intensity; 1 of 1 restarts in 5000 ms). Stops: a. Next: end.',
    ]);
  });
});

describe('a process', () => {
  const life = { path: 'pool/0', epoch: 1 };
  const offender: Offender = {
    ...{ pid: 'pool/0#1', id: '0', path: 'pool/0', restart: 'permanent', significant: false },
    ...{ shutdown: 5_000, type: 'worker' },
  };
  const reason = { type: 'signal', signal: 'SIGKILL' } as const;

  it('says itself, with its pid, that it is ready; its supervisor does not say it again', () => {
    const bus = new Bus();
    const { logger, lines } = collecting('info');
    logEvents(bus, logger);
    bus.emit('child.ready', { ...life, pid: 77, info: undefined });
    bus.emit('supervisor.progress', { supervisor: 'pool', level: 'info', started: offender });
    bus.emit('child.stopped', { ...life, reason: { type: 'shutdown' } });
    expect(textsOf(lines)).toEqual([
      'info pool/0 is ready (epoch 1, pid 77)',
      'info pool/0 (epoch 1) stopped: shutdown',
    ]);
  });

  it('that dies leaves its last words in the line of the report, once', () => {
    const bus = new Bus();
    const { logger, lines } = collecting('warn');
    logEvents(bus, logger);
    const report = {
      supervisor: 'pool',
      errorContext: 'child_terminated',
      reason,
      offender,
    } as const;
    bus.emit('child.crashed', { ...life, reason, stderrTail: 'Traceback', inFlightCalls: 2 });
    bus.emit('supervisor.reported', report);
    bus.emit('supervisor.reported', report);
    expect(lines).toMatchObject([{ stderrTail: 'Traceback', inFlightCalls: 2 }, {}]);
    expect(lines[1]).not.toHaveProperty('stderrTail');
    expect(textsOf(lines)).toEqual([
      'error Supervisor: pool. Context: child_terminated. Reason: signal SIGKILL. Offender: id=0,pid=pool/0#1. Calls in flight: 2.',
      'error Supervisor: pool. Context: child_terminated. Reason: signal SIGKILL. Offender: id=0,pid=pool/0#1.',
    ]);
  });

  it('leaves none that belong to another death', () => {
    const bus = new Bus();
    const { logger, lines } = collecting('warn');
    logEvents(bus, logger);
    const report = {
      supervisor: 'pool',
      errorContext: 'child_terminated',
      reason,
      offender,
    } as const;
    for (const over of ['child.ready', 'child.stopped'] as const) {
      bus.emit('child.crashed', { ...life, reason, stderrTail: 'Traceback', inFlightCalls: 0 });
      if (over === 'child.ready') bus.emit(over, { ...life, epoch: 2, pid: 78, info: undefined });
      else bus.emit(over, { ...life, reason });
      bus.emit('supervisor.reported', report);
    }
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).not.toHaveProperty('stderrTail');
  });
});

describe('the other events', () => {
  it.each([
    [
      'letter.dead',
      { path: 'a', epoch: 1, event: 'hi' },
      'debug hi was sent to a (epoch 1), which is dead',
    ],
    [
      'child.late_error',
      { path: 'a', epoch: 1, error: DIED },
      'warn a (epoch 1) threw after its end: Error: died',
    ],
    [
      'supervisor.stopped',
      { supervisor: '', reason: { type: 'error', error: DIED } },
      'error supervisor root ended: Error: died',
    ],
    [
      'supervisor.linted',
      { rule: 'shutdown_sum', path: 'root', message: 'too long', severity: 'warning' },
      'warn root: too long',
    ],
    [
      'monitor.listener_failed',
      { monitorId: 1, path: 'a', error: DIED },
      'warn the listener of a monitor of a threw',
    ],
    [
      'monitor.listener_failed',
      { monitorId: 1, path: undefined, error: DIED },
      'warn the listener of a monitor threw',
    ],
    ['pool.failed', { pool: 'p', error: DIED }, 'error died'],
    [
      'reply.dropped',
      { path: 'a', epoch: 1, callId: 3 },
      'warn a reply to no call in flight was dropped',
    ],
    [
      'worker.output',
      { path: 'a', epoch: 1, callId: 1, stream: 'stderr', line: 'oops' },
      'warn oops',
    ],
    ['worker.output', { path: 'a', epoch: 1, callId: 1, stream: 'stdout', line: 'hi' }, 'info hi'],
    [
      'worker.logged',
      { path: 'a', epoch: 1, callId: 1, level: 'critical', logger: 'x', message: 'bad' },
      'fatal bad',
    ],
    [
      'child.crashed',
      { path: 'a', epoch: 1, reason: { type: 'normal' }, stderrTail: '', inFlightCalls: 0 },
      'debug a (epoch 1) ended with normal, 0 calls in flight',
    ],
  ] as const)('%s of %o', (name, event, text) => {
    const bus = new Bus();
    const { logger, lines } = collecting();
    logEvents(bus, logger);
    bus.emit(name, event);
    expect(textsOf(lines)).toEqual([text]);
  });

  it('are not written any more once the log has ended', () => {
    const bus = new Bus();
    const { logger, lines } = collecting();
    logEvents(bus, logger)();
    bus.emit('letter.dead', { path: 'a', epoch: 1, event: 'hi' });
    expect(lines).toEqual([]);
  });
});

describe('the default logger', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('has the level that the environment names, else warn', () => {
    expect(defaultLogger({}).level).toBe('warn');
    expect(defaultLogger({ CADUCEUS_LOG_LEVEL: 'debug' }).level).toBe('debug');
    expect(defaultLogger({ CADUCEUS_LOG_LEVEL: 'silent' }).level).toBe('silent');
  });
});
