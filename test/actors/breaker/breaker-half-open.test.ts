// Which calls does a half-open breaker let through, and what do they show? In virtual time.
import { describe, expect, it } from 'vitest';

import type { BusEvents } from '../../../actors/ground/bus.ts';
import { refused, setUp } from './one-breaker.ts';

describe('a half-open breaker', () => {
  it('lets as many calls through at a time as it may', () => {
    const { breaker, clock, granted, halfOpen } = setUp();
    halfOpen();
    granted();
    clock.advance(100);
    granted();
    expect(breaker.acquire()).toEqual(refused(400));
  });

  it('lets the next one through when a probe has ended', () => {
    const { breaker, granted, halfOpen } = setUp();
    halfOpen();
    const first = granted();
    granted();
    first.release();
    granted();
    expect(breaker.acquire().type).toBe('refused');
  });

  it('closes after as many successes as it needs', () => {
    const { breaker, clock, granted, halfOpen, changes } = setUp();
    halfOpen();
    granted().success();
    expect(breaker.state).toBe('half_open');
    granted().success();
    expect([breaker.state, changes[2]]).toEqual([
      'closed',
      'p: half_open → closed: probes_succeeded',
    ]);
    clock.poll();
    expect(clock.pending).toBe(0);
  });

  it('closes after successes of probes side by side', () => {
    const { breaker, granted, halfOpen } = setUp();
    halfOpen();
    const probes = [granted(), granted()];
    for (const probe of probes) probe.success();
    expect(breaker.state).toBe('closed');
  });

  it('is as strict as before once it has closed', () => {
    const { breaker, granted, halfOpen, crash } = setUp();
    halfOpen();
    granted().success();
    granted().success();
    crash(2);
    expect(breaker.state).toBe('closed');
    crash();
    expect(breaker.state).toBe('open');
  });

  it('counts a success once, and none of a probe that was given back', () => {
    const { breaker, granted, halfOpen } = setUp();
    halfOpen();
    const probe = granted();
    probe.success();
    probe.success();
    granted().release();
    expect(breaker.state).toBe('half_open');
  });

  it('opens with one failed probe', () => {
    const { breaker, granted, halfOpen, changes } = setUp();
    halfOpen();
    granted().failure();
    expect([breaker.state, changes[2]]).toEqual(['open', 'p: half_open → open: probe_failed']);
    expect(breaker.acquire()).toEqual(refused(1_000));
  });

  it('opens with a worker that crashes, whether or not a probe is under way', () => {
    for (const probes of [0, 1]) {
      const { breaker, granted, halfOpen, crash, changes } = setUp();
      halfOpen();
      for (let probe = 0; probe < probes; probe += 1) granted();
      crash();
      expect([breaker.state, changes[2]]).toEqual(['open', 'p: half_open → open: worker_failed']);
    }
  });

  it('opens when a probe has no end in its time, and is half open again after that', () => {
    const { breaker, clock, granted, halfOpen, changes } = setUp();
    halfOpen();
    const lost = granted();
    clock.advance(499);
    expect(breaker.state).toBe('half_open');
    clock.advance(1);
    expect([breaker.state, changes[2]]).toEqual(['open', 'p: half_open → open: probe_lost']);
    expect(breaker.acquire()).toEqual(refused(1_000));
    clock.advance(1_000);
    lost.failure();
    expect(breaker.state).toBe('half_open');
    granted();
    granted();
  });

  it('gives each probe its whole time, from when it began', () => {
    for (const end of ['release', 'success'] as const) {
      const { breaker, clock, granted, halfOpen } = setUp();
      halfOpen();
      const first = granted();
      clock.advance(300);
      granted();
      clock.advance(100);
      first[end]();
      clock.advance(399);
      expect(breaker.state).toBe('half_open');
      clock.advance(1);
      expect(breaker.state).toBe('open');
    }
  });

  it('loses the oldest probe in its time, though a younger one has ended', () => {
    const { breaker, clock, granted, halfOpen } = setUp();
    halfOpen();
    granted();
    clock.advance(300);
    granted().release();
    clock.advance(199);
    expect(breaker.state).toBe('half_open');
    clock.advance(1);
    expect(breaker.state).toBe('open');
  });

  it('waits for calls as long as there are none', () => {
    const { breaker, clock, granted, halfOpen } = setUp();
    halfOpen();
    granted().release();
    clock.advance(3_600_000);
    expect([breaker.state, clock.pending]).toEqual(['half_open', 0]);
  });

  it('begins with no success each time', () => {
    const { breaker, clock, granted, halfOpen, crash } = setUp();
    halfOpen();
    granted().success();
    crash();
    clock.advance(1_000);
    granted().success();
    expect(breaker.state).toBe('half_open');
  });
});

describe('whoever waits', () => {
  it('is told when it is half open and when it is closed, not when it opens', () => {
    const { clock, granted, open, noticesSince } = setUp({ successThreshold: 1 });
    open();
    expect(noticesSince()).toBe(0);
    clock.advance(1_000);
    expect(noticesSince()).toBe(1);
    granted().success();
    expect(noticesSince()).toBe(1);
  });

  it('is told when a probe has ended after somebody was refused, and only then', () => {
    const { breaker, granted, halfOpen, noticesSince } = setUp();
    halfOpen();
    noticesSince();
    granted().release();
    expect(noticesSince()).toBe(0);
    const probes = [granted(), granted()];
    breaker.acquire();
    for (const probe of probes) probe.release();
    expect(noticesSince()).toBe(1);
    granted().release();
    expect(noticesSince()).toBe(0);
  });

  it('may ask at once, and gets no more than there is', () => {
    const { breaker, bus, clock, open } = setUp();
    const found: string[] = [];
    const ask = (): void => {
      for (let call = 0; call < 3; call += 1) found.push(breaker.acquire().type);
    };
    bus.on('breaker.changed', ({ to }: BusEvents['breaker.changed']) => {
      if (to === 'half_open') ask();
    });
    breaker.onChange(ask);
    open();
    clock.advance(1_000);
    expect(found).toEqual(['granted', 'granted', ...Array.from({ length: 4 }, () => 'refused')]);
  });

  it('is told no more once it has said so', () => {
    const { breaker, halfOpen } = setUp();
    let told = 0;
    const stop = breaker.onChange(() => (told += 1));
    stop();
    halfOpen();
    expect(told).toBe(0);
  });
});
