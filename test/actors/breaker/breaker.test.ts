// When does a breaker let calls through? In virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Breaker, type Permit } from '../../../actors/breaker/breaker.ts';
import { Bus } from '../../../actors/ground/bus.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { refused, SETTINGS, setUp } from './one-breaker.ts';

describe('a closed breaker', () => {
  it('lets every call through', () => {
    const { breaker, granted } = setUp();
    for (let call = 0; call < 100; call += 1) granted();
    expect(breaker.state).toBe('closed');
  });

  it('opens after as many failures as its threshold says', () => {
    const { breaker, crash, changes } = setUp();
    crash(2);
    expect(breaker.state).toBe('closed');
    crash();
    expect([breaker.state, changes]).toEqual(['open', ['p: closed → open: failures']]);
  });

  it('counts failures of calls like those of workers', () => {
    const { breaker, granted, crash } = setUp();
    granted().failure();
    crash();
    granted().failure();
    expect(breaker.state).toBe('open');
  });

  it('counts from the start again after a success', () => {
    const { breaker, granted, crash } = setUp();
    crash(2);
    granted().success();
    crash(2);
    expect(breaker.state).toBe('closed');
    crash();
    expect(breaker.state).toBe('open');
  });

  it('counts nothing for a permit that is given back', () => {
    const { breaker, granted, crash } = setUp();
    crash(2);
    granted().release();
    expect(breaker.state).toBe('closed');
    crash();
    expect(breaker.state).toBe('open');
  });

  it('counts only the first word of a permit', () => {
    const { breaker, granted } = setUp();
    const permit = granted();
    for (let time = 0; time < 9; time += 1) permit.failure();
    expect(breaker.state).toBe('closed');
    const other = granted();
    other.release();
    other.success();
    other.failure();
    granted().failure();
    expect(breaker.state).toBe('closed');
    granted().failure();
    expect(breaker.state).toBe('open');
  });

  it('has no timer', () => {
    const { clock, crash } = setUp();
    crash(2);
    expect(clock.pending).toBe(0);
  });
});

describe('an open breaker', () => {
  it('refuses, and says how long it will', () => {
    const { breaker, clock, open } = setUp();
    open();
    expect(breaker.acquire()).toEqual(refused(1_000));
    clock.advance(999.5);
    expect(breaker.acquire()).toEqual(refused(1));
  });

  it('is half open when its time is over', () => {
    const { breaker, clock, open, changes } = setUp();
    open();
    clock.advance(999);
    expect(breaker.state).toBe('open');
    clock.advance(1);
    expect([breaker.state, changes[1]]).toEqual([
      'half_open',
      'p: open → half_open: open_time_over',
    ]);
  });

  it('stays open as long after its last failure, and says nothing of that', () => {
    const { breaker, clock, open, crash, changes } = setUp();
    open();
    clock.advance(900);
    crash();
    expect(breaker.acquire()).toEqual(refused(1_000));
    clock.advance(999);
    expect([breaker.state, changes.length]).toEqual(['open', 1]);
    clock.advance(1);
    expect(breaker.state).toBe('half_open');
  });

  it('takes no word of a permit from before', () => {
    const { breaker, clock, granted, open } = setUp();
    const [late, bad] = [granted(), granted()];
    open();
    clock.advance(900);
    late.success();
    bad.failure();
    clock.advance(100);
    expect(breaker.state).toBe('half_open');
  });
});

describe('a reset', () => {
  it('closes it from every state, and forgets what had failed', () => {
    for (const bring of ['open', 'halfOpen'] as const) {
      const setup = setUp();
      setup[bring]();
      setup.breaker.reset();
      expect(setup.changes.at(-1)).toMatch(/→ closed: reset$/u);
      setup.clock.advance(10_000);
      expect([setup.breaker.state, setup.clock.pending]).toEqual(['closed', 0]);
    }
    const { breaker, crash, changes } = setUp();
    crash(2);
    breaker.reset();
    crash(2);
    expect([breaker.state, changes]).toEqual(['closed', []]);
  });
});

describe('a breaker that is stopped', () => {
  it('leaves no timer, and takes no word any more', () => {
    const { breaker, clock, granted, halfOpen, changes, noticesSince } = setUp();
    halfOpen();
    const probe = granted();
    noticesSince();
    breaker.stop();
    expect(clock.pending).toBe(0);
    const before = changes.length;
    probe.failure();
    breaker.failed();
    breaker.reset();
    expect([changes.length, noticesSince()]).toEqual([before, 0]);
  });
});

describe('a breaker whose clock fails', () => {
  it('is closed, since it would stay open for ever', () => {
    const clock = new VirtualClock();
    clock.setTimeout = () => {
      throw new Error('no timer');
    };
    const changes: string[] = [];
    const bus = new Bus();
    bus.on('breaker.changed', ({ to }) => changes.push(to));
    const breaker = new Breaker({ name: 'p', ...SETTINGS, failureThreshold: 1 }, { clock, bus });
    breaker.failed();
    expect([breaker.state, breaker.acquire().type]).toEqual(['closed', 'granted']);
    breaker.failed();
    expect(breaker.state).toBe('closed');
  });
});

describe('whatever happens', () => {
  type Step = 'acquire' | 'success' | 'failure' | 'release' | 'crash' | 'pass';
  const steps = fc.array(
    fc.constantFrom<Step>('acquire', 'success', 'failure', 'release', 'crash', 'pass'),
    { maxLength: 60 },
  );

  it('no more probes are out than may be, an open one grants nothing, and it is never stuck', () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const { breaker, clock } = setUp();
        let [stay, out]: [string, Permit[]] = [breaker.state, []];
        for (const step of plan) {
          if (step === 'crash') breaker.failed();
          else if (step === 'pass') clock.advance(300);
          else if (step === 'acquire') {
            const before = breaker.state;
            const admission = breaker.acquire();
            expect(admission.type === 'granted' && before === 'open').toBe(false);
            if (admission.type === 'granted') out.push(admission.permit);
          } else out.shift()?.[step]();
          if (breaker.state !== stay) [stay, out] = [breaker.state, []];
          if (stay === 'half_open') expect(out.length).toBeLessThanOrEqual(2);
        }
        clock.advance(SETTINGS.probeTimeoutMs + SETTINGS.openMs);
        for (let success = 0; success < 2; success += 1) {
          const admission = breaker.acquire();
          if (admission.type === 'granted') admission.permit.success();
        }
        expect(breaker.state).toBe('closed');
        breaker.stop();
        clock.poll();
        expect(clock.pending).toBe(0);
      }),
    );
  });
});
