// What does the linter of trees take for a supervisor, and whose crashes does it count?
import { describe, expect, it } from 'vitest';
import { lifecycleStart } from '../../actors/lifecycle/child.ts';
import { child, lint, sup } from './lint-trees.ts';

describe('a worker that says something of itself', () => {
  it('is no supervisor: what it says is not looked into', () => {
    const nothing = () => {
      throw new Error('nothing is started here');
    };
    const start = lifecycleStart('worker', () => nothing, { script: 'model.py' });
    expect(lint({ children: [child('model', { start })] })).toEqual([]);
  });
});

describe('a supervisor that is not permanent', () => {
  it('passes no crash on: the one above does not count them', () => {
    const inner = { maxRestarts: 30, children: [child('leaf')] };
    const rules = (restart: 'permanent' | 'transient') =>
      lint({ children: [sup('inner', inner, { restart })] }).map(({ rule, path }) => [rule, path]);
    expect(rules('permanent')).toEqual([['restart_product', 'root/inner/leaf']]);
    expect(rules('transient')).toEqual([['transient_supervisor', 'root/inner']]);
  });
});
