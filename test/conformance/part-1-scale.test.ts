// Does the cost of many children grow with their number only? Cases 78 and 88 of supervisor_SUITE.
import { describe, expect, vi } from 'vitest';

import { scenario } from './scenario.ts';
import { child, stage } from './stage.ts';

/** On a machine that is busy with other tests. */
vi.setConfig({ testTimeout: 120_000 });

const FEW = 1_000;
const MANY = 10_000;

/** Ms of this process's own work, so that others on the machine do not count. */
async function workOf(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function terminating(many: number): Promise<number> {
  const template = child('template', { restart: 'temporary' });
  const play = await stage({ strategy: 'simple_one_for_one', children: [template] });
  const { sup } = play;
  const calls = Array.from({ length: many }, () => sup.startChild());
  const started = await play.ask(Promise.all(calls));
  expect(await play.counts()).toEqual([1, many, 0, many]);
  const workMs = await workOf(() =>
    play.ask(Promise.all(started.map((one) => sup.terminateChild(one.child!)))),
  );
  expect(await play.counts()).toEqual([1, 0, 0, 0]);
  return workMs;
}

async function startingAndStopping(
  many: number,
): Promise<{ readonly start: number; readonly stop: number }> {
  const children = Array.from({ length: many }, (_, index) => child(`child${index}`));
  let play = await stage();
  const start = await workOf(async () => {
    play = await stage({ children });
  });
  expect(await play.counts()).toEqual([many, many, 0, many]);
  const stop = await workOf(() => play.ask(play.sup.stop()));
  expect(play.sup.children()).toEqual([]);
  return { start, stop };
}

describe('many children', () => {
  scenario(
    78,
    'simple_one_for_one_scale_many_temporary_children',
    'the time is that of the processor',
    async () => {
      const few = await terminating(FEW);
      const many = await terminating(MANY);
      // Linear would be 10.
      expect(many / few).toBeLessThan(50);
    },
  );

  scenario(88, 'scale_start_stop_many_children', '10 000 children instead of 100 000', async () => {
    const few = await startingAndStopping(FEW);
    const many = await startingAndStopping(MANY);
    const slack = 10;
    expect(many.start / few.start).toBeLessThan((slack * MANY) / FEW);
    expect(many.stop / few.stop).toBeLessThan((slack * MANY) / FEW);
  });
});
