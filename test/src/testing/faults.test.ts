import { describe, expect, it } from 'vitest';
import type { LocalModelError } from '../../../src/testing/index.ts';
import { startLocalModel, type Fault } from '../../../src/testing/index.ts';
import {
  chatBody,
  chunksOf,
  ManualClock,
  post,
  readEvents,
  stream,
  textOf,
} from './local-model-client.ts';

const CHAT = '/chat/completions';
const SUM = chatBody('What is 2+2?');

describe('faults', () => {
  it('answer with a status, the error object and Retry-After, then are used up', async () => {
    await using model = await startLocalModel({
      faults: [{ kind: 'status', status: 429, retryAfterS: 7 }],
    });
    const refused = await post(model, CHAT, SUM);
    expect(refused).toMatchObject({
      status: 429,
      body: { error: { code: 'rate_limit_exceeded' } },
    });
    expect(refused.headers.get('retry-after')).toBe('7');
    expect((await post(model, CHAT, SUM)).status).toBe(200);
  });

  it('strike in order, each as often as it says', async () => {
    await using model = await startLocalModel({
      faults: [
        { kind: 'status', status: 500, times: 2 },
        { kind: 'status', status: 503 },
      ],
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await post(model, CHAT, SUM)).status);
    expect(statuses).toEqual([500, 500, 503, 200]);
  });

  it('that always strike do so until they are cleared', async () => {
    await using model = await startLocalModel();
    model.inject({ kind: 'status', status: 500, times: 'always' });
    expect([(await post(model, CHAT, SUM)).status, (await post(model, CHAT, SUM)).status]).toEqual([
      500, 500,
    ]);
    model.clearFaults();
    expect((await post(model, CHAT, SUM)).status).toBe(200);
  });

  it('strike only what they match', async () => {
    await using model = await startLocalModel();
    model.inject({
      kind: 'status',
      status: 500,
      times: 'always',
      match: { contains: 'poison "pill"' },
    });
    model.inject({
      kind: 'status',
      status: 503,
      times: 'always',
      match: { path: '/v1/embeddings' },
    });
    expect((await post(model, CHAT, SUM)).status).toBe(200);
    expect((await post(model, CHAT, chatBody('a poison "pill" here'))).status).toBe(500);
    expect((await post(model, '/embeddings', { model: 'm', input: 'a' })).status).toBe(503);
  });

  it('let a look at the models pass unless they name its path', async () => {
    await using model = await startLocalModel({ faults: [{ kind: 'status', status: 500 }] });
    const models = await fetch(`${model.baseUrl}/models`);
    await models.arrayBuffer();
    expect(models.status).toBe(200);
    expect((await post(model, CHAT, SUM)).status).toBe(500);
  });

  it('of kind slow keep everything back for their time', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({
      clock,
      faults: [{ kind: 'slow', delayMs: 30_000 }],
    });
    const armed = clock.nextArmed();
    const answered = post(model, CHAT, SUM);
    expect(await armed).toBe(30_000);
    clock.fire();
    expect(textOf(await answered)).toBe('2 + 2 = 4');
  });

  it('of kind slow_tokens pause before every event of a stream', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({
      clock,
      faults: [{ kind: 'slow_tokens', perTokenMs: 50 }],
    });
    let armed = clock.nextArmed();
    const response = await stream(model, SUM);
    const events = readEvents(response);
    const pauses: number[] = [];
    // Role, five words, the reason, [DONE].
    for (let i = 0; i < 8; i += 1) {
      pauses.push(await armed);
      armed = clock.nextArmed();
      clock.fire();
    }
    expect(chunksOf(await events)).toHaveLength(7);
    expect(new Set(pauses)).toEqual(new Set([50]));
  });

  it('of kind slow_tokens keep a whole reply back for all its words', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({
      clock,
      faults: [{ kind: 'slow_tokens', perTokenMs: 50 }],
    });
    const armed = clock.nextArmed();
    const answered = post(model, CHAT, SUM);
    expect(await armed).toBe(250);
    clock.fire();
    expect((await answered).status).toBe(200);
  });

  it('of kind break_stream cut a stream after so many events', async () => {
    await using model = await startLocalModel({
      faults: [{ kind: 'break_stream', afterChunks: 3 }],
    });
    const response = await stream(model, SUM);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const reading = (async () => {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
        seen += part.value;
    })();
    await expect(reading).rejects.toThrow();
    expect(seen.match(/^data: /gm)).toHaveLength(3);
    expect(model.aborted).toBe(0);
  });

  it('of kind break_stream cut a whole reply at its middle', async () => {
    await using model = await startLocalModel({
      faults: [{ kind: 'break_stream', afterChunks: 0 }],
    });
    await expect(post(model, CHAT, SUM)).rejects.toThrow();
    expect(model.aborted).toBe(0);
  });

  it('of kind nonsense answer in the right shape with the wrong text', async () => {
    await using model = await startLocalModel({ faults: [{ kind: 'nonsense', times: 2 }] });
    const whole = textOf(await post(model, CHAT, SUM));
    const streamed = chunksOf(await readEvents(await stream(model, SUM)));
    expect(whole).toContain('umbrella');
    expect(streamed[0]?.choices[0]?.delta.content).toBe(whole);
  });

  it('of kind bad_json send a body that cannot be parsed', async () => {
    await using model = await startLocalModel({ faults: [{ kind: 'bad_json', times: 2 }] });
    await expect(post(model, CHAT, SUM)).rejects.toThrow(SyntaxError);
    const events = await readEvents(await stream(model, SUM));
    expect(() => JSON.parse(events[0] ?? '') as unknown).toThrow(SyntaxError);
  });

  it.each([
    { kind: 'slow', delayMs: -1 },
    { kind: 'slow', delayMs: 2 ** 31 },
    { kind: 'status', status: 200 },
    { kind: 'break_stream', afterChunks: 0.5 },
    { kind: 'slow_tokens', perTokenMs: Number.NaN },
    { kind: 'hang', times: 0 },
    { kind: 'unheard_of' },
  ])('that cannot be are refused: %j', async (fault) => {
    await using model = await startLocalModel();
    expect(() => {
      model.inject(fault as Fault);
    }).toThrow(expect.objectContaining({ code: 'LOCAL_MODEL_BAD_FAULT' }) as LocalModelError);
  });
});
