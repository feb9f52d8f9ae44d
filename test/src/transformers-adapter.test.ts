// Do the words of Transformers' adapter fit: what callers write, what Python gets, and what comes back?
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Args } from '../../src/adapters/operation.ts';
import { checkBy } from '../../src/adapters/standard-schema.ts';
import { transformers } from '../../src/index.ts';

const adapter = transformers();
const tools = { newId: () => 'transformers_new' };
const request = (op: string, args: Args): Args => adapter.transformRequest?.(op, args, tools) ?? {};

describe('a request', () => {
  it('has Python’s names, and an id that is minted here', () => {
    const args = { modelName: 'org/model', allowDownload: true, ggufFile: undefined };
    expect(request('load_model', args)).toEqual({
      ...{ id: 'transformers_new', model_name: 'org/model', allow_download: true },
    });
    expect(request('generate', { id: 'm', prompt: 'x', maxNewTokens: 3, topP: 0.5 })).toEqual({
      ...{ model_id: 'm', prompt: 'x', max_new_tokens: 3, top_p: 0.5 },
    });
  });

  it('names directories by their whole path, and leaves names of the hub alone', () => {
    const here = join(process.cwd(), 'models/tiny');
    expect(request('load_model', { path: 'models/tiny' })).toMatchObject({ path: here });
    expect(request('load_model', { modelName: './models/tiny' })).toMatchObject({
      model_name: here,
    });
    expect(request('load_model', { modelName: 'models/tiny' })).toMatchObject({
      model_name: 'models/tiny',
    });
    expect(request('load_model', { path: '~/tiny' })).toMatchObject({ path: '~/tiny' });
  });

  it('of the unified interface is the same', () => {
    const inputs = { prompt: 'x', maxLength: 9 };
    expect(request('generate', { id: 'm', inputs })).toEqual(
      request('generate', { id: 'm', ...inputs }),
    );
  });

  it('names the same model when it is made and when it is deleted', () => {
    const { load_model: made, unload } = adapter.operations;
    expect(made.key(request('load_model', { id: 'm', path: '/m' }))).toBe('m');
    expect(unload.key(request('unload', { id: 'm' }))).toBe('m');
  });

  it.each([
    ['load_model', { path: '/m', trustRemoteCode: true }],
    ['generate', { id: 'm', prompt: 'x', topP: 2 }],
    ['generate', { id: 'm', messages: [] }],
    ['embed', { id: 'm', text: [1] }],
    ['classify', { id: '', text: 'x' }],
  ] as const)('of %s that makes no sense is refused: %j', (op, args) => {
    expect(checkBy(adapter.operations[op].args, args)).toMatchObject({ type: 'bad' });
  });
});

describe('an answer', () => {
  it('has names as TypeScript has them', () => {
    expect(adapter.transformResponse?.('load_model', { model_id: 'm', task: 'embed' })).toBe('m');
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const written = { model_id: 'm', text: 'x', finish_reason: 'stop', usage };
    expect(adapter.transformResponse?.('generate', written)).toEqual({
      ...{ id: 'm', text: 'x', finishReason: 'stop' },
      usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
    });
    expect(adapter.transformResponse?.('stream_generate', { text: 'x' })).toEqual({ text: 'x' });
  });
});

describe('workers', () => {
  it('compute with the threads that they are given', () => {
    expect(transformers({ threads: 3 }).env).toEqual({ OMP_NUM_THREADS: '3' });
    expect(adapter.env).toEqual({});
  });
});
