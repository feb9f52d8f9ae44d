// The program of docs/guide/calls.md: what one call to Python can do. Prints one JSON line for each chapter.
import path from 'node:path';

import {
  createRuntime,
  currentCall,
  defineAdapter,
  NdArray,
  withTrace,
  type DeadlineExceededError,
} from '../../../src/index.ts';

const scriptPath = path.resolve('docs/examples/calls/guide_bridge.py');
const adapter = defineAdapter({ framework: 'guide', operations: {} });
const runtime = await createRuntime({
  bridges: { guide: { adapter, scriptPath, pool: { size: 1 } } },
});
const guide = runtime.pool('guide');
const show = (what: string, value: unknown): void => console.log(JSON.stringify([what, value]));

const matrix = NdArray.from(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
const scaled = await guide.call('scale', { matrix, by: 10 }); // an NdArray: NumPy's float64, shape [2, 3]
show(
  'values',
  scaled instanceof NdArray && [
    scaled.dtype,
    scaled.shape,
    Array.from(scaled.data as Float64Array),
  ],
);

const seen = [];
for await (const word of guide.stream('words', { text: 'to be or not to be' })) {
  seen.push(word);
  if (word === 'not') break; // the generator is closed: its `finally` runs, and the loop ends after it
}
show('streams', [seen, await guide.call('closed')]);

const callbacks = {
  lookup: async ({ word }: { word: string }) => `${word} (seen by ${currentCall()?.op})`,
};
const looked = await guide.call('look_up', { word: 'staff' }, { callbacks });
show('callbacks', looked);

const steps: unknown[] = [];
const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
await withTrace(trace, () =>
  guide.call('train', { epochs: 3 }, { onProgress: (step) => steps.push(step), sessionId: 'ada' }),
);
show('progress', steps);

const error = await guide
  .call('sleep', { seconds: 60 }, { timeoutMs: 200 })
  .catch((reason: unknown) => reason as DeadlineExceededError);
const stage = await (error as DeadlineExceededError).cancellation.settled; // 'interrupt': a sleep hears nothing gentler
show('cancellation', stage);

await runtime.stop();
