import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RequestLog, type RecordedRequest } from '../../../src/testing/local-model/request-log.ts';
import { LOCAL_MODEL_LIMITS, startLocalModel } from '../../../src/testing/index.ts';
import { chatBody, ManualClock, post } from './local-model-client.ts';

const CHAT = '/chat/completions';
const SUM = chatBody('What is 2+2?');

describe('a client that goes away', () => {
  it('is counted, and its timer is cleared', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({
      clock,
      faults: [{ kind: 'slow', delayMs: 1_000, match: { contains: 'first' } }],
    });
    const client = new AbortController();
    const armed = clock.nextArmed();
    const body = JSON.stringify(chatBody('first'));
    const asked = fetch(`${model.baseUrl}${CHAT}`, { method: 'POST', body, signal: client.signal });
    await armed;
    client.abort();
    await expect(asked).rejects.toThrow();
    // A later request is answered after the earlier connection's end has been seen.
    while (model.aborted === 0) await post(model, CHAT, SUM);
    expect(model.aborted).toBe(1);
    expect(clock.armedCount).toBe(0);
  });

  it('in the middle of its own body is counted and nothing is recorded', async () => {
    await using model = await startLocalModel();
    const socket = connect(model.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"model"',
    );
    await post(model, CHAT, SUM);
    socket.destroy();
    while (model.aborted === 0) await post(model, '/embeddings', { model: 'm', input: 'a' });
    expect(model.requests.filter(({ path }) => path.endsWith(CHAT))).toHaveLength(1);
  });
});

describe('the requests that arrived', () => {
  it('are recorded with path, model, body and time', async () => {
    await using model = await startLocalModel({ clock: new ManualClock() });
    await post(model, CHAT, SUM);
    expect(model.requests).toEqual([
      {
        method: 'POST',
        path: '/v1/chat/completions',
        model: 'local',
        body: SUM,
        promptText: 'What is 2+2?',
        atMs: 1_700_000_000_000,
      },
    ]);
    expect(model.requestsCount).toBe(1);
  });

  it('can be awaited before they are answered', async () => {
    await using model = await startLocalModel({ faults: [{ kind: 'hang' }] });
    const client = new AbortController();
    const asked = fetch(`${model.baseUrl}${CHAT}`, {
      method: 'POST',
      body: JSON.stringify(SUM),
      signal: client.signal,
    });
    const seen = await model.nextRequest({ matching: '2+2', timeoutMs: 2_000 });
    expect(seen.path).toBe('/v1/chat/completions');
    client.abort();
    await expect(asked).rejects.toThrow();
  });

  it('are found although they came before the wait, each by one wait only', async () => {
    await using model = await startLocalModel({ clock: new ManualClock() });
    await post(model, CHAT, chatBody('one'));
    await post(model, CHAT, chatBody('two'));
    expect((await model.nextRequest({ matching: 'two' })).promptText).toBe('two');
    expect((await model.nextRequest()).promptText).toBe('one');
    const third = model.nextRequest({ path: '/v1/embeddings' });
    await post(model, '/embeddings', { model: 'm', input: 'three' });
    expect((await third).promptText).toBe('three');
  });

  it('that do not come end the wait in time', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({ clock });
    const waiting = model.nextRequest({ matching: 'never', timeoutMs: 100 });
    clock.fire();
    await expect(waiting).rejects.toMatchObject({
      code: 'LOCAL_MODEL_WAIT_TIMEOUT',
      message: 'no request with "never" arrived within 100 ms',
    });
  });

  it('are no longer awaited once the signal aborts', async () => {
    const clock = new ManualClock();
    await using model = await startLocalModel({ clock });
    const reason = new Error('enough');
    const waiting = model.nextRequest({ signal: AbortSignal.abort(reason) });
    await expect(waiting).rejects.toBe(reason);
    const controller = new AbortController();
    const second = model.nextRequest({ signal: controller.signal });
    controller.abort(reason);
    await expect(second).rejects.toBe(reason);
    expect(clock.armedCount).toBe(0);
  });

  it('are forgotten oldest first beyond the bound, but still counted', () => {
    const log = new RequestLog();
    const total = LOCAL_MODEL_LIMITS.requestsKeptMax + 1;
    for (let i = 0; i < total; i += 1) log.record(requestOf(String(i)));
    expect([log.kept.length, log.count]).toEqual([LOCAL_MODEL_LIMITS.requestsKeptMax, total]);
    expect(log.kept[0]?.promptText).toBe('1');
  });

  it('are forgotten sooner when they are large', () => {
    const log = new RequestLog();
    const large = 'x'.repeat(LOCAL_MODEL_LIMITS.requestsKeptCharsMax / 2);
    for (let i = 0; i < 3; i += 1) log.record(requestOf(large));
    expect(log.kept).toHaveLength(2);
  });
});

const requestOf = (promptText: string): RecordedRequest => ({
  method: 'POST',
  path: '/v1/embeddings',
  model: null,
  body: null,
  promptText,
  atMs: 0,
});

describe('closing', () => {
  it('ends replies under way, waits and timers, and frees the port', async () => {
    const clock = new ManualClock();
    const model = await startLocalModel({
      clock,
      faults: [{ kind: 'hang' }, { kind: 'slow', delayMs: 1_000 }],
    });
    const asked = [post(model, CHAT, SUM), post(model, CHAT, SUM)];
    const settled = Promise.allSettled(asked);
    await model.nextRequest();
    await model.nextRequest();
    const waiting = model.nextRequest({ matching: 'never' });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'LOCAL_MODEL_CLOSED' });
    await model.close();
    await refused;
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(clock.armedCount).toBe(0);
    await using next = await startLocalModel({ port: model.port });
    expect(next.port).toBe(model.port);
  });

  it('leaves no handle behind', async () => {
    const open = async (): Promise<number> => {
      // A closed handle is gone after the loop's closing phase.
      await setImmediate();
      await setImmediate();
      return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
    };
    const before = await open();
    const model = await startLocalModel();
    await post(model, CHAT, SUM);
    expect(await open()).toBe(before + 1);
    await model.close();
    expect(await open()).toBe(before);
  });

  it('may be asked for twice, and waits are refused afterwards', async () => {
    const model = await startLocalModel();
    await Promise.all([model.close(), model.close()]);
    await expect(model.nextRequest()).rejects.toMatchObject({ code: 'LOCAL_MODEL_CLOSED' });
  });

  it('is the same as leaving the block that holds it', async () => {
    const model = await startLocalModel();
    {
      await using held = model;
      expect(held.baseUrl).toBe(`http://127.0.0.1:${model.port}/v1`);
    }
    await expect(post(model, CHAT, SUM)).rejects.toThrow();
  });
});
