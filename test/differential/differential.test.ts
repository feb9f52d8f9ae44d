// Do our supervisors do what Erlang's do? Thousands of random trees and what befalls them, on both.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compare, describe as described } from './compare.ts';
import { differ, rareFeatures } from './differential.ts';
import { erlangRelease, ErlangVm, NO_ERLANG } from './erlang.ts';
import { ours } from './ours.ts';
import * as samples from './sample-cases.ts';
import { eventText } from './trace.ts';

const CASES = 2_000;
const SEED = 1;

const release = erlangRelease();
const where = release === undefined ? `skipped: ${NO_ERLANG}` : `Erlang/OTP ${release}`;

describe.skipIf(release === undefined)(`ours and ${where}`, { timeout: 240_000 }, () => {
  let vm: ErlangVm;

  beforeAll(() => {
    vm = new ErlangVm();
  });

  afterAll(async () => {
    await vm.close();
  });

  it('the VM shows who ends and starts in which order, with kills and all', async () => {
    const { trace } = await vm.run({
      ...samples.GROUP_RESTART,
      root: samples.root(
        [
          samples.worker('a', { manner: 'obeys', shutdown: 'brutal_kill' }),
          samples.worker('b'),
          samples.worker('c', { manner: 'ignores', shutdown: 5 }),
          samples.worker('d', { manner: 'detail' }),
        ],
        { strategy: 'one_for_all' },
      ),
    });
    expect(trace.map(({ events }) => events.map(eventText))).toEqual([
      ['start /#1', 'start /a#1 ok', 'start /b#1 ok', 'start /c#1 ok', 'start /d#1 ok'],
      [
        'exit /b#1 error(crash)',
        'exit /d#1 shutdown(detail)',
        'exit /c#1 killed',
        'exit /a#1 killed',
        'start /a#2 ok',
        'start /b#2 ok',
        'start /c#2 ok',
        'start /d#2 ok',
      ],
      [
        'exit /d#2 shutdown(detail)',
        'exit /c#2 killed',
        'exit /b#2 shutdown',
        'exit /a#2 killed',
        'exit /#1 shutdown',
      ],
    ]);
    expect(trace[1]).toMatchObject({
      results: [['told']],
      snapshot: ['/#1 which d:/d#2:worker c:/c#2:worker b:/b#2:worker a:/a#2:worker count 4/4/0/4'],
    });
  });

  it.each(Object.entries(samples).filter(([, given]) => typeof given === 'object'))(
    'agree on %s',
    async (_, sample) => {
      const given = sample as typeof samples.GROUP_RESTART;
      const [{ trace }, own] = await Promise.all([vm.run(given), ours(given)]);
      expect(compare(given, trace, own), described(given, trace, own)).toBeUndefined();
    },
  );

  it(`agree on ${CASES} random cases, in which everything worth comparing happens`, async () => {
    const outcome = await differ({ cases: CASES, seed: SEED, vm, ours });
    expect(outcome.found.map(({ text, replay }) => `${text}\n--replay ${replay}`)).toEqual([]);
    expect(outcome).toMatchObject({ agreed: CASES, disagreed: 0 });
    expect(rareFeatures(outcome, CASES)).toEqual([]);
  });
});
