// What do the operations of Transformers answer where no Python is? Words, vectors and labels that the arguments alone decide.
import { NdArray } from '../../actors/port/nd-array.ts';
import type { Args, MockContext } from './operation.ts';

const WORDS = ['staff', 'snake', 'wing', 'herald', 'road', 'word', 'night', 'gold'] as const;
const LABELS = ['NEGATIVE', 'POSITIVE'] as const;
const TASKS = ['generate', 'embed', 'classify'];
const DIMENSIONS = 8;
const LENGTH_TOKENS_DEFAULT = 100;
const WORDS_MAX = 12;
/** FNV-1a's, of 32 bits. */
const HASH_BASIS = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

type Model = Readonly<Record<string, unknown>>;

class MockError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.name = 'BridgeError';
    this.code = code;
  }
}

/** By operation. */
export const TRANSFORMERS_MOCKS = {
  load_model: (args: Args, { state }: MockContext): Model => {
    const model = modelOf(args);
    state.set(String(args['id']), model);
    return { ...model, load_time_ms: 0, status: 'loaded' };
  },
  generate: (args: Args, context: MockContext): Model => {
    find(args, context);
    const { words, end } = write(args);
    return { model_id: args['model_id'], text: words.join(''), ...end };
  },
  stream_generate: (args: Args, context: MockContext): Iterable<Model> => {
    find(args, context);
    const { words, end } = write(args);
    return [...words.map((text) => ({ text })), { text: '', ...end }];
  },
  embed: (args: Args, context: MockContext): Float32Array | NdArray => {
    find(args, context);
    if (!Array.isArray(args['text'])) return vectorOf(String(args['text']));
    const vectors = args['text'].map((text) => vectorOf(String(text)));
    const numbers = Float32Array.from(vectors.flatMap((vector) => [...vector]));
    return NdArray.from(numbers, [vectors.length, DIMENSIONS]);
  },
  classify: (args: Args, context: MockContext): unknown => {
    find(args, context);
    const topK = Number(args['top_k'] ?? LABELS.length);
    const one = (text: unknown): unknown => labelsOf(String(text)).slice(0, topK);
    return Array.isArray(args['text']) ? args['text'].map(one) : one(args['text']);
  },
  list_models: (_args: Args, { state }: MockContext): Model => {
    const models = [...state.values()];
    return { models, total_count: models.length };
  },
  unload: (args: Args, context: MockContext): Model => {
    find(args, context);
    context.state.delete(String(args['model_id']));
    return { model_id: args['model_id'], status: 'unloaded', freed_bytes: 0 };
  },
};

function modelOf(args: Args): Model {
  const name = args['model_name'] ?? args['path'];
  if (name === undefined) {
    throw new MockError('load_model needs either model_name or path', 'invalid_arguments');
  }
  const task = TASKS.find((each) => each === args['task']) ?? 'generate';
  return {
    model_id: args['id'],
    model_name: name,
    task,
    architecture: 'Mock',
    dtype: 'float32',
    device: 'cpu',
    parameters_count: 0,
    memory_bytes: 0,
    context_tokens_max: null,
    tokens_count: 0,
    loaded_at: 0,
    calls_count: 0,
  };
}

function find({ model_id: id }: Args, { state }: MockContext): void {
  if (state.has(String(id))) return;
  throw new MockError(`there is no model '${String(id)}'`, 'model_not_found');
}

/** By the arguments alone, and not by the operation: what is streamed is what is written at once. */
function write(args: Args): { words: readonly string[]; end: Model } {
  const prompt = JSON.stringify(args['prompt'] ?? args['messages'] ?? '');
  const random = chanceOf(JSON.stringify(args));
  const promptTokens = prompt.split(/\s+/u).length;
  const limit = Number(
    args['max_new_tokens'] ?? Number(args['max_length'] ?? LENGTH_TOKENS_DEFAULT) - promptTokens,
  );
  const wanted = 1 + Math.floor(random() * WORDS_MAX);
  const count = Math.max(0, Math.min(wanted, limit));
  const words = Array.from({ length: count }, () => {
    const word = WORDS[Math.floor(random() * WORDS.length)] ?? WORDS[0];
    return ` ${word}`;
  });
  return {
    words,
    end: {
      finish_reason: wanted <= limit ? 'stop' : 'length',
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: count,
        total_tokens: promptTokens + count,
      },
    },
  };
}

/** Numbers from 0 (included) to 1 (excluded) that a text decides: its FNV-1a hash, stirred anew for each. */
function chanceOf(text: string): () => number {
  let hash = HASH_BASIS;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), HASH_PRIME);
  return () => {
    hash = Math.imul(hash ^ (hash >>> 15), HASH_PRIME) + HASH_BASIS;
    return (hash >>> 0) / 2 ** 32;
  };
}

/** Texts that share letters are near each other. */
function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  for (const letter of text.toLowerCase()) {
    const place = (letter.codePointAt(0) ?? 0) % DIMENSIONS;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

function labelsOf(text: string): { label: string; score: number }[] {
  const [share = 0] = vectorOf(text);
  const scores = LABELS.map((label, index) => ({ label, score: index === 0 ? share : 1 - share }));
  return scores.toSorted((left, right) => right.score - left.score);
}
