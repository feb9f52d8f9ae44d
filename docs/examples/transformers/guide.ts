// The program of docs/guide/transformers.md: models write, whole and piece by piece, give vectors and labels, and outlive their worker. Prints one JSON line for each chapter.
// Its arguments are the directories of three models: one that writes, one for vectors, one for labels.
import { createRuntime, defineAdapter, isCaduceusError, transformers } from '../../../src/index.ts';

const [writer = '', encoder = '', classifier = ''] = process.argv.slice(2);
const show = (what: string, value: unknown): void => console.log(JSON.stringify([what, value]));

/** The ported design's own example, as an adapter of yours over the same bridge. */
const mine = defineAdapter({
  framework: 'transformers',
  pythonModule: 'caduceus.bridges.transformers',
  operations: {
    load_model: { change: 'create', key: ({ id }) => String(id) },
    generate: {},
  },
  transformRequest: (op, args, { newId }) =>
    op === 'load_model' ? { id: newId(), ...args } : args,
  transformResponse: (op, result) => {
    const answer = result as Record<string, unknown>;
    return op === 'load_model' ? answer['model_id'] : answer['text'];
  },
  methods: (self) => ({
    loadModel: (name: string) =>
      self.executeOperation('load_model', { model_name: name }) as Promise<string>,
    generate: (id: string, prompt: string, { maxLength = 100 } = {}) =>
      self.executeOperation('generate', {
        model_id: id,
        prompt,
        max_length: maxLength,
      }) as Promise<string>,
  }),
});

const runtime = await createRuntime({
  bridges: {
    transformers: { adapter: transformers({ threads: 1 }) },
    mine: { adapter: mine, startup: 'lazy', env: { OMP_NUM_THREADS: '1' } },
  },
});
const tf = runtime.registry.getAdapter('transformers');

const id = await tf.loadModel(writer);
const text = await tf.generate(id, 'Once upon a time', { maxLength: 40 });
const again = await tf.generate(id, 'Once upon a time', { maxLength: 40 });
show('generate', text !== '' && text === again);

const chosen = { maxNewTokens: 20, temperature: 0.8, topP: 0.95, seed: 7, stop: ['\n\n'] };
const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const reply = await tf.generate(id, messages, chosen);
show('messages', reply === (await tf.generate(id, messages, chosen)));

let streamed = '';
for await (const piece of tf.streamGenerate(id, 'Once upon a time', { maxLength: 40 })) {
  streamed += piece.text;
  if (piece.usage !== undefined) show('stream', [piece.finishReason, piece.usage.totalTokens]);
}
show('pieces', streamed === text);

const sentences = await tf.loadModel({ path: encoder, task: 'embed' });
const vector = await tf.embed(sentences, 'A cat sits on the mat.'); // a Float32Array
const rows = await tf.embed(sentences, ['A kitten lies on a rug.', 'Interest rates rise.']);
const likeness = (row: number): number =>
  vector.reduce((sum, value, at) => sum + value * Number(rows.data[row * vector.length + at]), 0);
show('embed', [rows.dtype, rows.shape.length, likeness(0) > likeness(1)]);

const labels = await tf.loadModel(classifier);
const [best] = await tf.classify(labels, 'What a fine day', { topK: 1 });
show('classify', typeof best?.label);

for (const pid of runtime.tree().children.flatMap(workers)) process.kill(pid, 'SIGKILL');
show('kill -9', (await tf.generate(id, 'Once upon a time', { maxLength: 40 })) === text);

const given = new AbortController();
const abandoned = tf.generate(id, 'Once upon a time', { maxLength: 2_000, signal: given.signal });
given.abort();
const code = await abandoned.then(String, (error: unknown) => isCaduceusError(error) && error.code);
show('given up', code);

const { ml } = runtime;
const program = await ml.createProgram({ path: writer }, { bridge: 'transformers' });
const written = await ml.execute(program, { prompt: 'Once upon a time', maxLength: 40 });
show('unified', written['text'] === text);

const own = runtime.registry.getAdapter('mine');
const modelId = await own.loadModel(writer);
show('an adapter of your own', (await own.generate(modelId, 'Once upon a time')).startsWith(text));

await tf.unload(id);
await runtime.stop();

/** The processes of a tree's workers, without those that they were forked from. */
function workers(node: ReturnType<typeof runtime.tree>): number[] {
  if (node.kind === 'worker') {
    return node.id === 'zygote' || node.pid === undefined ? [] : [node.pid];
  }
  return node.children.flatMap(workers);
}
