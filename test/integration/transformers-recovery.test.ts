// What is left of the models of Transformers when their worker is killed in the middle of something? Real processes, real signals.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { NdArray } from '../../src/index.ts';
import { nextEvent, rejection, until, workersOf } from '../support/real-runtime.ts';
import { sentenceModel, tinyModels, type TinyModels } from '../support/tiny-models.ts';
import {
  IMPORT_MS,
  transformersStage,
  untilBusy,
  type TransformersStage,
} from '../support/transformers-runtime.ts';

const PROMPT = 'Once upon a time';
const SHORT = { maxNewTokens: 6 };
/** Takes seconds. */
const LONG = { maxNewTokens: 2_000 };
/** So that what died is told, and not mended by another try. */
const ONCE = { maxRetries: 0 };
const WAIT_MS = 60_000;

let models: TinyModels;
let stage: TransformersStage;
let sentences: string;

beforeAll(async () => {
  models = tinyModels();
  sentences = sentenceModel();
  stage = await transformersStage({ size: 2, maxRestarts: 100, breaker: false });
  await until(() => gauges().idle === 2, IMPORT_MS);
}, IMPORT_MS);
afterAll(() => stage.runtime.stop());

const gauges = () => stage.runtime.pool('transformers').statistics().gauges;

function pidOf(sessionId: string): number {
  const pid = stage.runtime.pool('transformers').workerOf(sessionId)?.pid;
  // Zero would be this process and its neighbours.
  if (pid === undefined) throw new Error(`${sessionId} has no worker`);
  return pid;
}

function residentBytes(pid: number): number {
  const kibibytes = /VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/** The session's next worker has its models again. */
function replayed(sessionId: string): Promise<readonly string[]> {
  const event = nextEvent(stage.runtime, 'scope.replayed', ({ scope }) =>
    scope.endsWith(sessionId),
  );
  return event.then(({ operations }) => operations);
}

describe('kill -9 in the middle of', () => {
  it('load_model leaves nothing, and the next call loads', async () => {
    const own = { sessionId: 'load-killed' };
    await stage.bound.loadModel(models.llama, { ...own, id: 'before' });
    const pid = pidOf(own.sessionId);
    const onProgress = (): void => void process.kill(pid, 'SIGKILL');
    const loading = stage.bound.loadModel(sentences, { ...own, ...ONCE, id: 'm', onProgress });
    expect(await rejection(loading)).toMatchObject({
      code: 'worker_crashed',
      outcome: 'maybeExecuted',
    });
    const again = replayed(own.sessionId);
    expect(await stage.bound.loadModel(sentences, { ...own, id: 'm' })).toBe('m');
    expect(await again).toEqual(['load_model']);
    expect((await stage.bound.embed('m', 'near', own)).length).toBe(384);
    expect(await stage.bound.generate('before', PROMPT, { ...own, ...SHORT })).not.toBe('');
  });

  it('generate is told when it may not be tried again, and the next call has the model', async () => {
    const own = { sessionId: 'generate-killed' };
    const id = await stage.bound.loadModel(models.llama, own);
    const text = await stage.bound.generate(id, PROMPT, { ...own, ...SHORT });
    const dying = rejection(stage.bound.generate(id, PROMPT, { ...own, ...ONCE, ...LONG }));
    await untilBusy(pidOf(own.sessionId), 0.1);
    process.kill(pidOf(own.sessionId), 'SIGKILL');
    expect(await dying).toMatchObject({ code: 'worker_crashed', crashCause: 'killed' });
    expect(await stage.bound.generate(id, PROMPT, { ...own, ...SHORT })).toBe(text);
  });

  it('generate is not noticed when it may be tried again', async () => {
    const own = { sessionId: 'generate-retried' };
    const id = await stage.bound.loadModel(models.llama, own);
    const again = replayed(own.sessionId);
    const options = { ...own, maxNewTokens: 300, timeoutMs: WAIT_MS };
    const writing = stage.bound.generate(id, PROMPT, options);
    await untilBusy(pidOf(own.sessionId), 0.1);
    process.kill(pidOf(own.sessionId), 'SIGKILL');
    expect(await writing).not.toBe('');
    expect(await again).toEqual(['load_model']);
  });

  it('a stream ends it after what was read, and the next one begins anew', async () => {
    const own = { sessionId: 'stream-killed' };
    const id = await stage.bound.loadModel(models.llama, own);
    let read = 0;
    const reading = async (): Promise<void> => {
      for await (const _piece of stage.bound.streamGenerate(id, PROMPT, { ...own, ...LONG })) {
        read += 1;
        if (read === 3) process.kill(pidOf(own.sessionId), 'SIGKILL');
      }
    };
    expect(await rejection(reading())).toMatchObject({ code: 'worker_crashed' });
    expect(read).toBeGreaterThanOrEqual(3);
    let text = '';
    for await (const piece of stage.bound.streamGenerate(id, PROMPT, { ...own, ...SHORT })) {
      text += piece.text;
    }
    expect(text).toBe(await stage.bound.generate(id, PROMPT, { ...own, ...SHORT }));
  });

  it('embed is told, and the next call has the model', async () => {
    const own = { sessionId: 'embed-killed' };
    const id = await stage.bound.loadModel(sentences, own);
    const many = Array.from({ length: 2_000 }, (_, at) => `a sentence that has the number ${at}`);
    const dying = rejection(stage.bound.embed(id, many, { ...own, ...ONCE, timeoutMs: WAIT_MS }));
    await untilBusy(pidOf(own.sessionId), 0.1);
    process.kill(pidOf(own.sessionId), 'SIGKILL');
    expect(await dying).toMatchObject({ code: 'worker_crashed' });
    const rows: NdArray = await stage.bound.embed(id, ['near', 'far'], own);
    expect(rows.shape).toEqual([2, 384]);
  });
});

describe('two sessions', () => {
  it('have two models under one name, on two workers, at the same time', async () => {
    const [ada, bob] = [{ sessionId: 'ada' }, { sessionId: 'bob' }];
    await Promise.all([
      stage.bound.loadModel(models.llama, { ...ada, id: 'mine' }),
      stage.bound.loadModel(models.classifier, { ...bob, id: 'mine' }),
    ]);
    const [text, labels] = await Promise.all([
      stage.bound.generate('mine', PROMPT, { ...ada, ...SHORT }),
      stage.bound.classify('mine', 'good', bob),
    ]);
    expect(text).not.toBe('');
    expect(labels).toHaveLength(3);
    expect(await rejection(stage.bound.generate('mine', PROMPT, bob))).toMatchObject({
      code: 'invalid_arguments',
    });
    expect(await rejection(stage.bound.generate('mine', PROMPT))).toMatchObject({
      code: 'model_not_found',
    });
  });
});

describe('unload', () => {
  it('gives its memory back to the system', async () => {
    const carol = { sessionId: 'carol' };
    const id = await stage.bound.loadModel(sentences, carol);
    await stage.bound.embed(id, 'near', carol);
    const held = residentBytes(pidOf('carol'));
    await stage.bound.unload(id, carol);
    // They are mapped from their file: this is what one pass has touched of them.
    expect(held - residentBytes(pidOf('carol'))).toBeGreaterThan(35_000_000);
    expect(await rejection(stage.bound.embed(id, 'x', carol))).toMatchObject({
      code: 'model_not_found',
    });
  });
});

describe('a model without a session', () => {
  it('is on every worker that is asked, and on each that comes after', async () => {
    const id = await stage.bound.loadModel(models.llama);
    const before = workersOf(stage.runtime).map(({ pid }) => pid);
    for (const pid of before) {
      const ready = nextEvent(stage.runtime, 'child.ready');
      process.kill(pid ?? 0, 'SIGKILL');
      await ready;
    }
    await until(() => gauges().idle === 2, WAIT_MS);
    const asked = [1, 2].map(() => stage.bound.generate(id, PROMPT, { maxNewTokens: 200 }));
    const [first, second] = await Promise.all(asked);
    expect(first).toBe(second);
    expect(workersOf(stage.runtime).map(({ pid }) => pid)).not.toEqual(before);
  });
});
