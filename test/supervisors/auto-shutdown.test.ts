import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endsSupervisor } from '../../supervisors/auto-shutdown.ts';

describe('the final end of a child', () => {
  it.each([
    ['never', true, 0, false],
    ['never', true, 2, false],
    ['never', false, 0, false],
    ['any_significant', true, 0, true],
    ['any_significant', true, 2, true],
    ['any_significant', false, 0, false],
    ['all_significant', true, 0, true],
    ['all_significant', true, 1, false],
    ['all_significant', true, 2, false],
    ['all_significant', false, 0, false],
  ] as const)(
    'with %s, significant %s and %i others left, ends the supervisor: %s',
    (autoShutdown, significant, significantLeft, ends) => {
      expect(endsSupervisor(autoShutdown, { significant, significantLeft })).toBe(ends);
    },
  );

  it('that is not significant never ends it', () => {
    const flags = fc.constantFrom('never', 'any_significant', 'all_significant' as const);
    fc.assert(
      fc.property(flags, fc.nat(), (autoShutdown, significantLeft) => {
        expect(endsSupervisor(autoShutdown, { significant: false, significantLeft })).toBe(false);
      }),
    );
  });
});
