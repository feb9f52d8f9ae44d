// Do the words of scikit-learn's adapter fit: what callers write, what Python gets, and what tests without Python answer?
import { describe, expect, it } from 'vitest';

import type { Args, MockContext, OperationDefinition } from '../../src/adapters/operation.ts';
import { sklearn } from '../../src/adapters/sklearn.ts';
import { checkBy } from '../../src/adapters/standard-schema.ts';
import { NdArray } from '../../src/index.ts';

const adapter = sklearn();
const tools = { newId: () => 'sklearn_new' };
const request = (op: string, args: Args): Args => adapter.transformRequest?.(op, args, tools) ?? {};

/** A scope whose mocks are asked as Python would be: checked on both sides. */
function scope(): (op: string, args?: Args) => unknown {
  const state = new Map<string, unknown>();
  const context: MockContext = { sessionId: 'ada', random: () => 0.5, state };
  return (op, args = {}) => {
    const operation = (adapter.operations as Record<string, OperationDefinition>)[op];
    if (operation?.args !== undefined) {
      expect(checkBy(operation.args, args)).toMatchObject({ type: 'good' });
    }
    const answer: unknown = operation?.mock?.(request(op, args), context);
    const result: unknown = adapter.transformResponse?.(op, answer);
    if (operation?.result !== undefined) {
      expect(checkBy(operation.result, result)).toMatchObject({ type: 'good' });
    }
    return result;
  };
}

describe('a request', () => {
  it('has Python’s names, and an id that is minted here', () => {
    expect(request('load_model', { estimator: 'SVC', params: { C: 2 } })).toEqual({
      ...{ model_id: 'sklearn_new', estimator: 'SVC', params: { C: 2 } },
    });
    expect(request('train', { id: 'm', dataset: 'iris', testSize: 0.5, seed: undefined })).toEqual({
      ...{ model_id: 'm', dataset: 'iris', test_size: 0.5 },
    });
  });

  it('of the unified interface has its inputs among its arguments', () => {
    const inputs = { X: [[1]] };
    expect(request('predict', { id: 'm', inputs })).toEqual({ model_id: 'm', X: [[1]] });
  });

  it.each(['load_model', 'train', 'unload_model'] as const)('%s names its model alike', (op) => {
    expect(adapter.operations[op].key(request(op, { id: 'm' }))).toBe('m');
  });
});

describe('a mock', () => {
  it('of each operation answers what its schema says', () => {
    const call = scope();
    expect(call('load_model', { estimator: 'SVC', steps: ['StandardScaler'] })).toBe('sklearn_new');
    const id = 'sklearn_new';
    expect(() => call('predict', { id, X: [[1, 2]] })).toThrow('has not been trained');
    call('train', {
      id,
      X: [
        [1, 2],
        [3, 4],
      ],
      y: ['no', 'yes'],
      testSize: 0.5,
    });
    const X = NdArray.from(Float64Array.of(1, 2, 1, 3), [2, 2]);
    expect(call('predict', { id, X })).toEqual({ id, predictions: ['yes', 'no'] });
    expect(call('predict_proba', { id, X })).toMatchObject({ classes: ['no', 'yes'] });
    expect(call('evaluate', { id, X, y: ['yes', 'no'] })).toMatchObject({ samples: 2 });
    expect(call('save_model', { id })).toMatchObject({ format: 'skops' });
    expect(call('list_models')).toMatchObject({
      models: [{ id, steps: ['StandardScaler'], isTrained: true, features: 2 }],
    });
    const dumped = call('dump_state');
    call('unload_model', { id });
    expect(() => call('predict', { id, X })).toThrow('there is no model');
    call('load_state', { state: dumped });
    expect(call('list_models')).toMatchObject({ totalCount: 1 });
    call('forget_session');
    expect(call('list_models')).toMatchObject({ totalCount: 0 });
  });

  it.each(['iris', 'wine', 'breast_cancer', 'digits', 'diabetes', 'linnerud'])(
    'of %s can be learned and asked',
    (dataset) => {
      const call = scope();
      const { task, X } = call('load_dataset', { name: dataset }) as { task: string; X: NdArray };
      const estimator = task === 'regression' ? 'LinearRegression' : 'SVC';
      call('load_model', { id: 'm', estimator });
      call('train', { id: 'm', dataset });
      const asked = call('predict', { id: 'm', X });
      expect(call('predict', { id: 'm', dataset })).toEqual(asked);
      call('evaluate', { id: 'm', dataset });
      expect(JSON.stringify(call('list_datasets'))).toContain(dataset);
    },
  );
});
