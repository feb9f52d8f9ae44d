import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../../actors/ground/heap.ts';

function heapOf(numbers: readonly number[]): Heap<number> {
  const heap = new Heap<number>((item) => item);
  for (const one of numbers) heap.push(one);
  return heap;
}

function drained(heap: Heap<number>): number[] {
  const items: number[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

describe('a heap', () => {
  it('is empty at first', () => {
    const heap = heapOf([]);
    expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, undefined, undefined]);
  });

  it('gives back what it was given in ascending order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        expect(drained(heapOf(numbers))).toEqual(ascending(numbers));
      }),
    );
  });

  it('agrees with a sorted list after every push and pop', () => {
    const steps = fc.array(fc.oneof(fc.integer(), fc.constant('pop' as const)));
    fc.assert(
      fc.property(steps, (all) => {
        const heap = heapOf([]);
        let model: number[] = [];
        for (const step of all) {
          if (step === 'pop') expect(heap.pop()).toBe(model.shift());
          else {
            heap.push(step);
            model = ascending([...model, step]);
          }
          expect([heap.size, heap.peek()]).toEqual([model.length, model[0]]);
        }
      }),
    );
  });

  it('retains exactly what the caller keeps, still in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (numbers, least) => {
        const heap = heapOf(numbers);
        heap.retain((item) => item >= least);
        expect(drained(heap)).toEqual(ascending(numbers.filter((item) => item >= least)));
      }),
    );
  });
});
