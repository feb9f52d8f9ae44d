import { describe, expect, it } from 'vitest';
import type { CallRequest } from '../../../supervisors/pool/call-row.ts';
import type { PortAbility } from '../../../actors/port/port-types.ts';
import { inSession } from './calling.ts';
import { assertBooks } from '../../support/books.ts';
import { routed, routedRequest, type Routed } from './routed.ts';
import { ScriptedStore } from './scripted-store.ts';

/** More than any stack holds, were each of them served from inside the one before. */
const FLOOD = 10_000;

/** So many calls at once, without a look at the books after each. @returns how often each code was told. */
async function flood(
  setup: Routed,
  op: string,
  more: Partial<CallRequest>,
  begin: () => void,
): Promise<Readonly<Record<string, number>>> {
  const ends: Record<string, number> = {};
  for (let calls = 0; calls < FLOOD; calls += 1) {
    setup.router.call(routedRequest(op, {}, more)).then(
      () => (ends['ok'] = (ends['ok'] ?? 0) + 1),
      (error: unknown) => {
        const { code } = error as { readonly code: string };
        ends[code] = (ends[code] ?? 0) + 1;
      },
    );
  }
  begin();
  const { world, clock } = setup;
  while (world.step() || clock.poll());
  for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
  assertBooks(setup.router.statistics());
  return ends;
}

const busy = async (more = {}): Promise<Routed> => {
  const setup = routed({ queueLengthMax: 2 * FLOOD, ...more });
  setup.call('hang', { n: 1 });
  await setup.done();
  return setup;
};

describe('thousands of calls that fail at once when their turn comes, one after the other', () => {
  it.each([
    ['of one session', inSession('s')],
    ['without a session', {}],
  ])('for they can make it no more, %s', async (_what, more) => {
    const setup = routed({ queueLengthMax: 2 * FLOOD });
    setup.python.acts.set('work', (process, { id }) => {
      setup.clock.setTimeout(() => process.reply(id, null), 10);
      return false;
    });
    for (let calls = 0; calls < 16; calls += 1) {
      setup.call('work');
      await setup.pass(10);
    }
    setup.call('hang', { n: 1 });
    await setup.done();
    const ends = await flood(setup, 'work', { ...more, timeoutMs: 100 }, () => {
      setup.clock.advance(95);
      setup.python.finish(1);
    });
    expect(ends).toEqual({ deadline_exceeded: FLOOD });
    expect(setup.router.statistics().counters.shed).toBe(FLOOD);
  });

  it.each([
    ['of one session', inSession('s')],
    ['without a session', {}],
  ])('for their bridge cannot stream, %s', async (_what, more) => {
    const setup = await busy();
    const stream = { credit: 1, item: () => undefined };
    const abilities = setup.worker(0).abilities as Set<PortAbility>;
    const had = abilities.delete('streams');
    try {
      const ends = await flood(setup, 'echo', { ...more, stream }, () => setup.python.finish(1));
      expect(ends).toEqual({ unsupported: FLOOD });
    } finally {
      if (had) abilities.add('streams');
    }
  });

  it('for a secret of their session is not there', async () => {
    const store = new ScriptedStore();
    store.keep('s', [{ op: 'create', key: 'x', args: { id: 'x' }, secrets: { token: 'TOKEN' } }]);
    const setup = await busy({ store });
    const ends = await flood(setup, 'echo', inSession('s'), () => setup.python.finish(1));
    expect(ends).toEqual({ secret_missing: FLOOD });
  });
});
