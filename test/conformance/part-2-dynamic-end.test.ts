// Do the children of Elixir's DynamicSupervisor end as they do there? Cases 140 to 150: with it, or by `terminateChild`.
import { describe, expect } from 'vitest';

import type { ExitReason } from '../../actors/ground/exit-reason.ts';
import type { DynamicChildSpec } from '../../supervisors/dynamic-supervisor.ts';
import { exitingAs, plain, std } from './children.ts';
import { dynamicStage, end, MANY, restartsAs, SHUTDOWN } from './dynamic-stage.ts';
import { scenario } from './scenario.ts';

const KILLED: ExitReason = { type: 'killed' };
const OOPS: ExitReason = { type: 'shutdown', detail: 'oops' };

/** Three children with this specification, and how each ends with its supervisor. */
async function endOfThree(spec: DynamicChildSpec): Promise<readonly (ExitReason | undefined)[]> {
  const stage = await dynamicStage();
  return stage.stop(await stage.three(spec));
}

const thrice = (reason: ExitReason): readonly ExitReason[] => [reason, reason, reason];

describe('the end of the supervisor', () => {
  scenario(140, 'terminates children with brutal kill', '', async () => {
    const ends = await endOfThree({ start: plain, shutdown: 'brutal_kill' });
    expect(ends).toEqual(thrice(KILLED));
  });

  scenario(141, 'terminates children with infinity shutdown', '', async () => {
    expect(await endOfThree({ start: plain, shutdown: 'infinity' })).toEqual(thrice(SHUTDOWN));
  });

  scenario(142, 'terminates children with infinity shutdown and abnormal reason', '', async () => {
    const ends = await endOfThree({ start: exitingAs(OOPS), shutdown: 'infinity' });
    expect(ends).toEqual(thrice(OOPS));
  });

  scenario(143, 'terminates children with integer shutdown', '', async () => {
    expect(await endOfThree({ start: plain, shutdown: 1_000 })).toEqual(thrice(SHUTDOWN));
  });

  scenario(144, 'terminates children with integer shutdown and abnormal reason', '', async () => {
    expect(await endOfThree({ start: exitingAs(OOPS), shutdown: 1_000 })).toEqual(thrice(OOPS));
  });

  scenario(145, 'terminates children with expired integer shutdown', '', async () => {
    const stage = await dynamicStage();
    const first = await stage.start({ start: plain, shutdown: 1 });
    const deaf = await stage.start({ start: std, shutdown: 1 });
    const last = await stage.start({ start: plain, shutdown: 1 });
    deaf.send({ type: 'sleep' });
    expect(await stage.stop([first, deaf, last])).toEqual([SHUTDOWN, KILLED, SHUTDOWN]);
  });

  scenario(146, 'terminates children with permanent restart and normal reason', '', async () => {
    const normal: ExitReason = { type: 'normal' };
    const spec = { start: exitingAs(normal), shutdown: 'infinity', restart: 'permanent' } as const;
    expect(await endOfThree(spec)).toEqual(thrice(normal));
  });

  scenario(147, 'terminates with mixed children', '', async () => {
    const stage = await dynamicStage();
    const patient = await stage.start({ start: plain, shutdown: 'infinity' });
    const killed = await stage.start({ start: plain, shutdown: 'brutal_kill' });
    expect(await stage.stop([patient, killed])).toEqual([SHUTDOWN, KILLED]);
  });
});

describe('terminate_child', () => {
  scenario(148, 'terminates child with brutal kill', '', async () => {
    const stage = await dynamicStage();
    const child = await stage.start({ start: plain, shutdown: 'brutal_kill' });
    await stage.sup.terminateChild(child);
    expect(child.exitReason).toEqual(KILLED);
    const again = stage.sup.terminateChild(child);
    await expect(again).rejects.toMatchObject({ code: 'not_found' });
    expect(await stage.counts()).toEqual({ workers: 0, active: 0 });
  });

  scenario(149, 'terminates child with integer shutdown', '', async () => {
    const stage = await dynamicStage();
    const child = await stage.start({ start: plain, shutdown: 1_000 });
    await stage.sup.terminateChild(child);
    expect(child.exitReason).toEqual(SHUTDOWN);
    const again = stage.sup.terminateChild(child);
    await expect(again).rejects.toMatchObject({ code: 'not_found' });
    expect(await stage.counts()).toEqual({ workers: 0, active: 0 });
  });

  scenario(150, 'terminates restarting child', '', async () => {
    const stage = await dynamicStage(MANY);
    const child = await stage.start({ start: restartsAs('error') });
    end(child, SHUTDOWN);
    await stage.sup.terminateChild(child);
    const again = stage.sup.terminateChild(child);
    await expect(again).rejects.toMatchObject({ code: 'not_found' });
    expect(await stage.counts()).toEqual({ workers: 0, active: 0 });
  });
});
