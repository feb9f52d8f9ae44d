// Does real time keep its promises? The one test of the real clock; everything else runs on a virtual one.
import { describe, expect, it } from 'vitest';

import { systemClock } from '../../../actors/ground/clock.ts';

describe('the real clock', () => {
  it('calls later, also when no time is to pass', async () => {
    const told: string[] = [];
    const done = new Promise<void>((resolve) => {
      systemClock.setTimeout(() => {
        told.push('called');
        resolve();
      }, 0);
    });
    told.push('after');
    await done;
    expect(told).toEqual(['after', 'called']);
  });

  it.each([0, 1])('calls off what was to be called after %d ms', async (timeoutMs) => {
    const told: string[] = [];
    const id = systemClock.setTimeout(() => told.push('called'), timeoutMs);
    systemClock.clearTimeout(id);
    systemClock.clearTimeout(id);
    systemClock.clearTimeout(undefined);
    await new Promise<void>((resolve) => {
      systemClock.setTimeout(resolve, 10);
    });
    expect(told).toEqual([]);
  });
});
