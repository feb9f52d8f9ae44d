import { describe, expect, it, vi } from 'vitest';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { Supervisor } from '../../supervisors/supervisor.ts';
import { slow } from '../conformance/children.ts';
import { virtualSystem } from '../support/virtual-system.ts';
import { FakeChild, ids, running, supervised } from './fake-child.ts';

const started = (...names: readonly string[]) => {
  const setup = supervised(ids(...names));
  setup.clock.poll();
  return setup;
};

describe('a stop', () => {
  it('goes through the children in reverse, one at a time', () => {
    const { life, log, stop } = running(ids('a', 'b', 'c'));
    stop();
    const seen = [[...log]];
    for (const id of ['c', 'b', 'a']) {
      life(id).stopped();
      seen.push([...log]);
    }
    expect(seen).toEqual([
      ['stop c 5000'],
      ['stop c 5000', 'stop b 5000'],
      ['stop c 5000', 'stop b 5000', 'stop a 5000'],
      ['stop c 5000', 'stop b 5000', 'stop a 5000', 'told child.stopped'],
    ]);
  });

  it('gives each child the time of its specification', () => {
    const { life, log, stop } = running([
      { id: 'a', shutdown: 'brutal_kill' },
      { id: 'b', shutdown: 'infinity' },
    ]);
    stop();
    life('b').stopped();
    expect(log).toEqual(['stop b infinity', 'stop a brutal_kill']);
  });

  it('that is asked for twice is over when the less patient one wants it', () => {
    const { clock, log, supervisor } = running(ids('a'));
    supervisor.stop(4_000, { type: 'shutdown' });
    supervisor.stop(100, { type: 'shutdown' });
    clock.advance(100);
    expect(log).toEqual(['stop a 5000', 'stop a brutal_kill']);
  });

  it('that is brutal to what was stopping already says nothing to a machine that has ended', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const virtual = virtualSystem();
    const sup = await virtual.settled(
      startSupervisor({ children: [{ id: 'a', start: slow(1_000) }] }, virtual),
    );
    const life = Supervisor.of(sup.ref)!;
    life.stop('infinity', { type: 'shutdown' });
    life.stop('brutal_kill', { type: 'shutdown' });
    expect(sup.ref.exitReason).toEqual({ type: 'killed' });
    expect(warn).not.toHaveBeenCalled();
  });

  it('that is brutal is brutal to the children', () => {
    const { log, supervisor } = running(ids('a'));
    supervisor.stop('brutal_kill', { type: 'shutdown' });
    expect(log).toEqual(['stop a brutal_kill']);
  });

  it('that becomes brutal shortens the time of the child that is being stopped', () => {
    const { log, supervisor, stop } = running([{ id: 'a', shutdown: 'infinity' }]);
    stop();
    supervisor.stop('brutal_kill', { type: 'shutdown' });
    expect(log).toEqual(['stop a infinity', 'stop a brutal_kill']);
  });

  it('ends with the reason of its order', () => {
    const { life, supervisor, reason } = running(ids('a'));
    supervisor.stop('infinity', { type: 'shutdown', detail: 'update' });
    life('a').stopped();
    expect(reason()).toEqual([{ type: 'shutdown', detail: 'update' }]);
  });

  it('is told once, and ordered twice changes nothing', () => {
    const { life, log, stop } = running(ids('a'));
    stop();
    stop();
    life('a').stopped();
    expect(log).toEqual(['stop a 5000', 'told child.stopped']);
  });

  it('goes past a child that has crashed meanwhile', () => {
    const { life, log, stop } = running(ids('a', 'b'));
    stop();
    life('a').crashed();
    life('b').stopped();
    expect(log).toEqual(['stop b 5000', 'stop a 5000', 'told child.stopped']);
  });

  it('while it starts stops what had started and starts no other', () => {
    const { life, log, stop } = started('a', 'b', 'c');
    life('a').ready();
    log.length = 0;
    stop();
    life('b').stopped();
    life('a').stopped();
    expect(log).toEqual(['stop b 5000', 'stop a 5000', 'told child.stopped']);
  });

  it('before it has started leaves nothing running', () => {
    const { clock, life, log, stop, reason } = supervised(ids('a', 'b'));
    stop();
    clock.poll();
    if (log.includes('start a/1')) life('a').stopped();
    expect([log.includes('start b/1'), reason()]).toEqual([false, [{ type: 'shutdown' }]]);
  });

  it('leaves no timer', () => {
    const { clock, life, stop } = running(ids('a'));
    stop();
    life('a').stopped();
    expect(clock.pending).toBe(0);
  });
});

describe('the children of a supervisor', () => {
  it('are listed in start order', () => {
    const { supervisor } = running(ids('b', 'a'));
    expect(supervisor.children().map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it('are listed only while they are there', () => {
    const { supervisor, life, stop } = running(ids('a', 'b'));
    stop();
    life('b').stopped();
    expect(supervisor.children()).toEqual([expect.any(FakeChild)]);
  });
});
