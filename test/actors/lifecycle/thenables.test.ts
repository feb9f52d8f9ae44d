// Is everything waited for that can be waited for? Promises of other realms, and objects that only have a `then`.
import { runInNewContext } from 'node:vm';
import { fromCallback } from 'xstate';
import { describe, expect, it } from 'vitest';

import type { StartFunction } from '../../../actors/lifecycle/start-function.ts';
import { startRegistry } from '../../../supervisors/messages.ts';
import { std } from '../../conformance/children.ts';
import { failure, supervise } from '../../conformance/supervised.ts';

/** As query builders are: no promise, but it can be awaited. */
function thenable<Value>(value: Value): PromiseLike<Value> {
  return { then: (resolve, reject) => Promise.resolve(value).then(resolve, reject) };
}

const foreign = runInNewContext('(value) => Promise.resolve(value)') as <Value>(
  value: Value,
) => Promise<Value>;

describe('a start', () => {
  it.each([
    ['an object with a then', thenable],
    ['a promise of another realm', foreign],
  ])('may give %s', async (_, wrap) => {
    const held = await supervise();
    const start: StartFunction = () => wrap({ logic: std, info: 7 });
    expect(await held.ask(held.sup.startChild({ id: 'child', start }))).toMatchObject({ info: 7 });
    const ignore: StartFunction = () => wrap('ignore' as const);
    const ignored = await held.ask(held.sup.startChild({ id: 'other', start: ignore }));
    expect(ignored.child).toBeUndefined();
  });

  it('fails with what its then throws', async () => {
    const held = await supervise();
    const start = () => ({
      then: () => {
        throw new Error('boom');
      },
    });
    const failed = failure(held.sup.startChild({ id: 'child', start }));
    expect(await held.ask(failed)).toMatchObject({ reason: { error: { message: 'boom' } } });
  });
});

describe('the end of an actor', () => {
  it('waits for what its clean-up and its disposal give', async () => {
    const held = await supervise();
    const log: string[] = [];
    const noting = (what: string): PromiseLike<void> => ({
      then: (resolve, reject) => {
        const note = (): void => void log.push(what);
        return foreign(undefined).then(note).then(resolve, reject);
      },
    });
    const logic = fromCallback(() => () => noting('disposed'));
    await held.start({
      id: 'child',
      start: () => ({ logic, cleanUp: () => noting('cleaned up') }),
    });
    await held.ask(held.sup.terminateChild('child').then(() => log.push('ended')));
    expect([...log].sort()).toEqual(['cleaned up', 'disposed', 'ended']);
    expect(log.at(-1)).toBe('ended');
  });
});

describe('a lock', () => {
  it('is held until what its work gives has settled', async () => {
    const { world } = await supervise();
    const registry = startRegistry({ name: 'locks', keys: 'unique' }, world);
    const log: string[] = [];
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = registry.lock('key', () => ({ then: gate.then.bind(gate) }));
    const second = registry.lock('key', () => log.push('second'));
    await world.settle();
    expect(log).toEqual([]);
    open();
    await world.settled(Promise.all([first, second]));
    expect(log).toEqual(['second']);
  });
});
