// How does a test get an adapter that runs on all three layers? Of `words_bridge.py`, which its mocks stand in for.
import { z } from 'zod';

import { defineAdapter, type MockContext } from '../../src/index.ts';
import { fixture } from './real-runtime.ts';

export const WORDS_SCRIPT = fixture('words_bridge.py');

/** What a bridge raises: an error with a code of its own. */
function failure(message: string, code: string): Error {
  return Object.assign(new Error(message), { name: 'BridgeError', code });
}

function listOf({ state }: MockContext, id: unknown): string[] {
  const list = state.get(String(id));
  if (list === undefined) throw failure(`no list ${String(id)}`, 'list_not_found');
  return list as string[];
}

function* wordsOf(text: unknown): Generator<string> {
  for (const word of String(text).split(/\s+/u)) {
    if (word === 'stop') throw failure('a word that stops', 'stopped');
    yield word;
  }
}

const key = (args: Readonly<Record<string, unknown>>): string => String(args['id']);

export const wordsAdapter = defineAdapter({
  framework: 'words',
  operations: {
    count: {
      args: z.object({ text: z.string() }),
      result: z.object({ count: z.number() }),
      mock: ({ text }) => ({ count: String(text).split(/\s+/u).length }),
    },
    each: { stream: true, mock: ({ text }) => wordsOf(text) },
    make_list: {
      change: 'create',
      key,
      mock: ({ id }, { state }) => {
        state.set(String(id), []);
        return id;
      },
    },
    add_words: {
      change: 'update',
      key,
      mock: ({ id, words }, context) => listOf(context, id).push(...(words as string[])),
    },
    read_list: { mock: ({ id }, context) => listOf(context, id) },
    drop_list: {
      change: 'delete',
      key,
      mock: ({ id }, { state }) => {
        state.delete(String(id));
      },
    },
    double: {
      mock: ({ values }) => ({ values: (values as Float64Array).map((each) => each * 2) }),
    },
    forget: {},
    unmocked: {},
  },
  roles: { create: 'make_list', execute: 'read_list', delete: 'drop_list', forget: 'forget' },
});
