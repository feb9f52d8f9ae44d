// How does a program that a command runs end? Real programs, virtual time, and an interrupt by hand.
import { describe, expect, it } from 'vitest';

import { LIMITS } from '../../../actors/ground/limits.ts';
import { runProgram } from '../../../src/cli/run-program.ts';
import { systemTerminal, type Terminal } from '../../../src/cli/terminal.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const LONG = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] };
const node = (code: string) => ({ command: process.execPath, args: ['-e', code] });

function terminalWith(clock = new VirtualClock()) {
  const listeners = new Set<() => void>();
  const terminal: Terminal = {
    ...systemTerminal,
    clock,
    onInterrupt: (fn) => {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
  };
  return { terminal, clock, listeners };
}

describe('a program', () => {
  it('is done when its status is 0', async () => {
    const { terminal, listeners } = terminalWith();
    expect(await runProgram(terminal, node('0'))).toEqual({ type: 'done' });
    expect(listeners.size).toBe(0);
  });

  it('has failed when it is not, and its last words say why', async () => {
    const { terminal } = terminalWith();
    const code = 'console.log("x".repeat(5000)); console.error("the reason"); process.exitCode = 3';
    const end = await runProgram(terminal, node(code));
    expect(end).toMatchObject({
      type: 'failed',
      why: expect.stringContaining('the reason') as string,
    });
    expect((end as { why: string }).why.length).toBeLessThanOrEqual(2_000);
  });

  it('has failed when there is none', async () => {
    const { terminal } = terminalWith();
    const end = await runProgram(terminal, { command: '/nowhere/at-all', args: [] });
    expect(end).toMatchObject({ type: 'failed', why: expect.stringContaining('ENOENT') as string });
  });

  it('has its own environment, without what would lead its modules astray', async () => {
    const { terminal } = terminalWith();
    const code = 'process.exitCode = process.env.MINE === "1" && !process.env.PYTHONPATH ? 0 : 1';
    const before = process.env['PYTHONPATH'];
    process.env['PYTHONPATH'] = '/somewhere';
    try {
      expect(await runProgram(terminal, { ...node(code), env: { MINE: '1' } })).toEqual({
        type: 'done',
      });
    } finally {
      if (before === undefined) delete process.env['PYTHONPATH'];
      else process.env['PYTHONPATH'] = before;
    }
  });

  it('is killed when it takes too long', async () => {
    const { terminal, clock } = terminalWith();
    const ending = runProgram(terminal, LONG);
    clock.advance(LIMITS.installTimeoutMs);
    expect(await ending).toMatchObject({
      type: 'failed',
      why: expect.stringContaining(`not done within ${LIMITS.installTimeoutMs} ms`) as string,
    });
  });

  it('is killed when the user has had enough', async () => {
    const { terminal, listeners } = terminalWith();
    const ending = runProgram(terminal, LONG);
    for (const interrupt of listeners) interrupt();
    expect(await ending).toEqual({ type: 'interrupted', why: 'interrupted' });
    expect(listeners.size).toBe(0);
  });
});
