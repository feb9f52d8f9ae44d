// Does what is started through `caduceus/otp` log, to where it was told to, and once?
import fs from 'node:fs';
import { pino, type Logger } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';

import {
  defaultSystem,
  logTo,
  startDynamicSupervisor,
  startPartitionSupervisor,
  startSupervisor,
  startTaskSupervisor,
  System,
} from '../../../src/otp.ts';
import { plain } from '../../conformance/children.ts';

function collecting(level = 'warn'): { readonly logger: Logger; readonly texts: string[] } {
  const texts: string[] = [];
  const write = (line: string): void => void texts.push((JSON.parse(line) as { msg: string }).msg);
  return { logger: pino({ level }, { write }), texts };
}

/** Gives a warning at its start, from the linter. */
const LINTED = {
  maxRestarts: 100,
  children: [{ id: 'a', start: plain }],
};

afterEach(() => {
  logTo(false);
});

describe('a system', () => {
  it('logs to the logger that a start names', async () => {
    const { logger, texts } = collecting();
    await (await startSupervisor(LINTED, { system: new System(), logger })).stop();
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/^root\/a: only 101 crashes/u);
  });

  it('logs each thing once, however many starts name that logger', async () => {
    const { logger, texts } = collecting();
    const system = new System();
    await (await startSupervisor({}, { system, logger })).stop();
    await (await startSupervisor(LINTED, { system, logger })).stop();
    expect(texts).toHaveLength(1);
  });

  it('logs to the one that was named last, and keeps it when none is named', async () => {
    const [first, second] = [collecting(), collecting()];
    const system = new System();
    logTo(first.logger, system);
    await (await startSupervisor(LINTED, { system, logger: second.logger })).stop();
    await (await startSupervisor(LINTED, { system })).stop();
    expect([first.texts.length, second.texts.length]).toEqual([0, 2]);
  });

  it('is silent when it is one’s own and nothing was said, or when it was turned off', async () => {
    const { logger, texts } = collecting();
    const system = new System();
    await (await startSupervisor(LINTED, { system })).stop();
    logTo(logger, system);
    await (await startSupervisor(LINTED, { system, logger: false })).stop();
    await (await startSupervisor(LINTED, { system })).stop();
    expect(texts).toEqual([]);
  });

  it('logs whatever kind of supervisor it is', async () => {
    const { logger, texts } = collecting('info');
    const options = { system: new System(), logger };
    await (await startDynamicSupervisor({}, options)).stop();
    await (await startTaskSupervisor({}, options)).stop();
    const partitions = { name: 'p', child: { id: 'c', start: plain }, partitions: 1 };
    await (await startPartitionSupervisor(partitions, options)).stop();
    expect(texts.filter((text) => text.endsWith('ended: shutdown'))).toHaveLength(3);
  });

  it('of the process can be told where to log before anything is started', async () => {
    const { logger, texts } = collecting();
    logTo(logger);
    await (await startSupervisor(LINTED)).stop();
    await (await startSupervisor(LINTED, { system: defaultSystem(), lint: false })).stop();
    expect(texts).toHaveLength(1);
  });
});

describe('the system of the process', () => {
  const STDERR = 2;
  const TURNS = 8;

  /** What the first start in a fresh process writes to stderr. */
  async function written(level: string | undefined): Promise<readonly string[]> {
    vi.resetModules();
    vi.stubEnv('CADUCEUS_LOG_LEVEL', level);
    const lines: string[] = [];
    const write = vi
      .spyOn(fs, 'write')
      .mockImplementation((fd: number, ...rest: unknown[]): void => {
        const text = String(rest[0]);
        if (fd === STDERR) lines.push(...text.trim().split('\n'));
        const done = rest.at(-1) as (error: null, written: number) => void;
        setImmediate(() => done(null, text.length));
      });
    try {
      const fresh = await import('../../../src/otp.ts');
      for (const name of ['one', 'two'])
        await (await fresh.startSupervisor({ ...LINTED, name })).stop();
      fresh.logTo(false);
      // Lines are written one after another, each when the one before is out.
      for (let turn = 0; turn < TURNS; turn += 1) await new Promise(setImmediate);
    } finally {
      write.mockRestore();
      vi.unstubAllEnvs();
    }
    return lines.map((line) => (JSON.parse(line) as { msg: string }).msg.slice(0, 'one/a'.length));
  }

  it('logs warnings to stderr from the first start on, once each', async () => {
    expect(await written(undefined)).toEqual(['one/a', 'two/a']);
  });

  it('keeps to the level of the environment, and starts in spite of a slip in it', async () => {
    expect(await written('silent')).toEqual([]);
    expect(await written('lout')).toEqual(['CADUC', 'one/a', 'two/a']);
  });
});
