// What does Transformers look like from TypeScript? A text that comes piece by piece and is left early, one that an abort ends, and sentences as vectors. Real torch on a tiny model that is made here, and on a real one from a package.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createRuntime, isCaduceusError, transformers } from '../../../src/index.ts';

const show = (what: string, value: unknown): void => console.log(`${what}:`, value);
const PROMPT = 'Once upon a time';
const folder = mkdtempSync(path.join(tmpdir(), 'caduceus-example-'));

try {
  // Saves the tiny model into the folder, and says where the package has the real one.
  const python = process.env['CADUCEUS_PYTHON'] ?? 'python3';
  const script = path.resolve('docs/examples/transformers/tiny_model.py');
  const options = { encoding: 'utf8', timeout: 60_000, stdio: 'pipe' } as const;
  const sentences = execFileSync(python, [script, folder], options).trim();

  await using runtime = await createRuntime({
    bridges: { transformers: { adapter: transformers({ threads: 1 }) } },
  });
  const bridge = runtime.registry.getAdapter('transformers');

  // Its weights are random: what it writes is nonsense, always the same one.
  const llama = await bridge.loadModel({ path: folder });
  const written = await bridge.generate(llama, PROMPT, { maxNewTokens: 20 });
  show('written', written);
  assert(written.length >= 10);

  // Leaving the loop ends the text after the token that is in the making.
  let streamed = '';
  for await (const { text } of bridge.streamGenerate(llama, PROMPT, { maxNewTokens: 1_000 })) {
    streamed += text;
    if (streamed.length >= 10) break;
  }
  show('left early', streamed);
  assert(written.startsWith(streamed.slice(0, 10)));

  // An abort does the same to a call that gives its text at once. The worker goes on with the next one.
  const limits = { maxNewTokens: 2_000, signal: AbortSignal.timeout(100) };
  const error = await bridge.generate(llama, PROMPT, limits).catch((reason: unknown) => reason);
  assert(isCaduceusError(error));
  show('aborted', error.code);
  assert.equal(error.code, 'aborted');

  // A real model: near sentences are nearer than far ones. A row for each, of length 1.
  const minilm = await bridge.loadModel({ path: sentences });
  const texts = ['A cat sits on the mat.', 'A kitten rests on a rug.', 'Shares fell on Monday.'];
  const { dtype, shape, data } = await bridge.embed(minilm, texts);
  assert.deepEqual([dtype, shape], ['float32', [3, 384]]);
  const [cat = [], kitten = [], shares = []] = [0, 1, 2].map((row) =>
    Array.from((data as Float32Array).subarray(row * 384, (row + 1) * 384)),
  );
  const nearness = (one: number[], other: number[]): number =>
    one.reduce((sum, value, index) => sum + value * (other[index] ?? NaN), 0);
  show('cat and kitten', nearness(cat, kitten));
  show('cat and shares', nearness(cat, shares));
  assert(nearness(cat, kitten) > nearness(cat, shares) + 0.3);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
