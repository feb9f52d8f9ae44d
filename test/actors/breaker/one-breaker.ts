// How does a test get one breaker under virtual time?
import { Breaker, type Permit } from '../../../actors/breaker/breaker.ts';
import { Bus } from '../../../actors/ground/bus.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

export const SETTINGS = {
  failureThreshold: 3,
  successThreshold: 2,
  openMs: 1_000,
  halfOpenCallsMax: 2,
  probeTimeoutMs: 500,
};

/** A breaker of pool `p`, what it told of itself, and what brings it into its states. */
export function setUp(more: Partial<typeof SETTINGS> = {}) {
  const clock = new VirtualClock();
  const bus = new Bus();
  const changes: string[] = [];
  bus.on('breaker.changed', ({ pool, from, to, because }) => {
    changes.push(`${pool}: ${from} → ${to}: ${because}`);
  });
  const breaker = new Breaker({ name: 'p', ...SETTINGS, ...more }, { clock, bus });
  const granted = (): Permit => {
    const admission = breaker.acquire();
    if (admission.type === 'refused') throw new Error('it was refused');
    return admission.permit;
  };
  const crash = (times = 1): void => {
    for (let time = 0; time < times; time += 1) breaker.failed();
  };
  const open = (): void => crash(SETTINGS.failureThreshold);
  const halfOpen = (): void => {
    open();
    clock.advance(SETTINGS.openMs);
  };
  let notices = 0;
  breaker.onChange(() => (notices += 1));
  const noticesSince = (): number => {
    clock.poll();
    const found = notices;
    notices = 0;
    return found;
  };
  return { clock, bus, changes, breaker, granted, crash, open, halfOpen, noticesSince };
}

export const refused = (retryAfterMs: number) => ({ type: 'refused', retryAfterMs });
