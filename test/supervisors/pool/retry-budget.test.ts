import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../supervisors/pool/retry-budget.ts';

const taken = (budget: RetryBudget): number => {
  let count = 0;
  while (budget.take()) count += 1;
  return count;
};

describe('a retry budget', () => {
  it('begins with its burst', () => {
    const budget = new RetryBudget({ ratio: 0.2, burst: 10 });
    expect([budget.has(), taken(budget), budget.has()]).toEqual([true, 10, false]);
  });

  it('has one more for each part of the calls', () => {
    const budget = new RetryBudget({ ratio: 0.2, burst: 10 });
    taken(budget);
    for (let call = 0; call < 4; call += 1) budget.accepted();
    expect(budget.take()).toBe(false);
    budget.accepted();
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });

  it('is not short of a whole one by rounding', () => {
    const budget = new RetryBudget({ ratio: 0.1, burst: 10 });
    taken(budget);
    for (let call = 0; call < 10; call += 1) budget.accepted();
    expect(taken(budget)).toBe(1);
  });

  it('holds no more than its burst', () => {
    const budget = new RetryBudget({ ratio: 1, burst: 3 });
    for (let call = 0; call < 100; call += 1) budget.accepted();
    expect(taken(budget)).toBe(3);
  });

  it('of nothing gives nothing', () => {
    const budget = new RetryBudget({ ratio: 0, burst: 0 });
    budget.accepted();
    expect([budget.has(), budget.take()]).toEqual([false, false]);
  });

  it('never gives more than the burst and a part of the calls, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (calls) => {
        const budget = new RetryBudget({ ratio: 0.2, burst: 2 });
        let [accepted, retried] = [0, 0];
        for (const isCall of calls) {
          if (isCall) {
            budget.accepted();
            accepted += 1;
          } else if (budget.take()) retried += 1;
          expect(retried).toBeLessThanOrEqual(2 + 0.2 * accepted + 1e-6);
        }
      }),
    );
  });
});
