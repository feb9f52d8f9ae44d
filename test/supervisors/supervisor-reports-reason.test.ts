// Is a reason told whatever it holds?
import { createMachine } from 'xstate';
import { describe, expect, it } from 'vitest';

import { exit } from '../../actors/lifecycle/exit.ts';
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';

describe('a reason whose detail cannot be written down', () => {
  it.each([
    [
      'holds itself',
      (): unknown => {
        const circle: Record<string, unknown> = {};
        circle['self'] = circle;
        return circle;
      },
      '<ref *1> { self: [Circular *1] }',
    ],
    ['is a bigint', (): unknown => 10n, '10n'],
    ['is a symbol', (): unknown => Symbol('x'), 'Symbol(x)'],
  ])(
    'is told all the same, and answers whoever started the tree: %s',
    async (_what, make, text) => {
      const world = virtualSystem();
      const never = createMachine({
        ...{ initial: 'a', output: () => exit({ type: 'shutdown', detail: make() }) },
        states: {
          a: { tags: 'starting', after: { 5: 'b' } },
          b: { type: 'final', tags: 'starting' },
        },
      });
      const began = startSupervisor({ children: [{ id: 'a', start: never }] }, world);
      const refused = expect(began).rejects.toThrow(`failed to start child a: shutdown (${text})`);
      await world.advance(5);
      await refused;
      expect(world.told('supervisor.reported')).toMatchObject([{ errorContext: 'start_error' }]);
    },
  );
});
