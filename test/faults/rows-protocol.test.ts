// What becomes of a worker that breaks the wire, and of its calls? Rows W1 to W16 of docs/faults.md, on real processes that speak the wire by hand.
import { afterEach, describe, expect, it } from 'vitest';

import type { Cancellation, Runtime } from '../../src/index.ts';
import { isAlive, nextEvent, rejection, until, workersOf } from '../support/real-runtime.ts';
import {
  badRuntime,
  hasOnlyItsOwn,
  isWhole,
  leaveNobody,
  SOON_MS,
  type BadPlan,
} from '../support/rows-runtime.ts';

let runtime: Runtime;
afterEach(leaveNobody);

const started = async (...given: Parameters<typeof badRuntime>) => {
  runtime = await badRuntime(...given);
  await isWhole(runtime);
  return runtime.pool('rows');
};
const epochs = (): readonly number[] =>
  workersOf(runtime)
    .map(({ epoch }) => epoch)
    .sort();
const speak = (...texts: readonly string[]) => runtime.pool('rows').call('speak', { texts });
const REPLY = '{"type":"reply","id":ID,"ok":true,"result":1}';
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
/** A frame around these bytes, with sizes that are true. */
const framed = (bytes: string): string => {
  const size = bytes.length.toString(16).padStart(8, '0');
  return `${size}${size}${hex(bytes)}`;
};

/** The worker of the call is killed for `finding`; the other one is left alone, and the pool is whole again. */
async function endsIt(call: Promise<unknown>, finding: RegExp): Promise<void> {
  const error = await rejection(call);
  expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
  expect(error.cause).toMatchObject({ code: 'protocol_error' });
  expect((error.cause as Error).message).toMatch(finding);
  await until(() => epochs().join() === '1,2', SOON_MS);
  await isWhole(runtime);
  await hasOnlyItsOwn(runtime);
}

describe('W1', () => {
  it.each(['half_a_frame_and_close', 'half_a_frame_and_exit'])(
    'W1, P13 a frame that is cut off by the end of its stream is lost, and the next incarnation starts clean: %s',
    async (op) => {
      const pool = await started();
      const pid = (await pool.call('pid')) as number;
      const error = await rejection(pool.call(op));
      expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted', epoch: 1 });
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
      expect([isAlive(pid), epochs()]).toEqual([false, [2]]);
    },
  );
});

describe('W2', () => {
  it.each([
    ['beyond all limits', 'ffffffff00000002', /4294967295 bytes, at most/u],
    ['of nothing', '0000000000000000', /header of 0 and a body of 0 bytes/u],
    ['less than its header', '0000000400000008', /header of 8 and a body of 4 bytes/u],
    ['whose header is beyond all limits', '0fffffff0fffffff', /header of 268435455 bytes/u],
  ])(
    'W2 a length %s ends its worker before memory is taken, and no other',
    async (_what, bytes, finding) => {
      const pool = await started({}, { size: 2 });
      const beforeBytes = process.memoryUsage().arrayBuffers;
      const call = pool.call('emit', { hex: bytes });
      await endsIt(call, finding);
      expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(2 ** 20);
    },
  );
});

describe('W3', () => {
  it.each<readonly [start: string, finding: RegExp]>([
    ['garbage', /frame/u],
    ['version', /protocol 3.0 found, 2.x wanted/u],
    ['no_hello', /message of type "bonjour"/u],
    ['early_ready', /message of type ready out of turn/u],
  ])('W3 a start with %s is a failed one, that says what was found', async (start, finding) => {
    const failing = badRuntime({ start, faultyEpochs: 9 }, { maxConsecutiveStartFailures: 1 });
    const error = await rejection(failing);
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(error.cause).toMatchObject({ code: 'protocol_error' });
    expect((error.cause as Error).message).toMatch(finding);
  });

  it.each(['nonce', 'silence'])(
    'W3 a start with %s is met by nobody: it fails, and the next one serves',
    async (start) => {
      // Above a start on a loaded machine, below what a test should wait.
      const pool = await started({ start }, { startTimeoutMs: 1_500 });
      expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
      expect(epochs()).toEqual([2]);
      await hasOnlyItsOwn(runtime);
    },
  );
});

describe('W5, W6', () => {
  it.each([
    ['W5 invalid UTF-8', framed('{"type":"\xff\xfe"}'), /not valid UTF-8/u],
    ['W6 a bare NaN', framed('{"type":"reply","id":1,"ok":true,"result":NaN}'), /not valid JSON/u],
    ['W6 a bare Infinity', framed('{"x":Infinity}'), /not valid JSON/u],
  ])('%s ends its worker, and no other', async (_what, bytes, finding) => {
    const pool = await started({}, { size: 2 });
    await endsIt(pool.call('emit', { hex: bytes }), finding);
  });
});

describe('W8', () => {
  it('W8 a value that is nested without end, and has tags, ends its worker, and no other', async () => {
    await started({}, { size: 2 });
    const text = `{"type":"reply","id":ID,"ok":true,"tagged":true,"result":NESTED}`;
    const call = runtime.pool('rows').call('speak', { texts: [text], depth: 100_000 });
    await endsIt(call, /nest|deep|depth/u);
  });

  it('W8 an error that is nested without end ends its worker, and no other', async () => {
    const pool = await started({}, { size: 2 });
    const cause = '{"type":"E","message":"","traceback":"","code":"x","cause":';
    const text = `{"type":"reply","id":ID,"ok":false,"error":${cause.repeat(1_000)}1${'}'.repeat(1_000)}}`;
    await endsIt(pool.call('speak', { texts: [text] }), /error of reply/u);
  });

  it('W8 keys such as __proto__ are data, and of a key that comes twice the last counts', async () => {
    await started();
    const result = '{"__proto__":{"isAdmin":true},"a":1,"a":2}';
    for (const tagged of ['false', 'true']) {
      const text = `{"type":"reply","id":ID,"ok":true,"tagged":${tagged},"result":${result}}`;
      const found = (await speak(text)) as Record<string, unknown>;
      expect(Object.entries(found)).toEqual([
        ['__proto__', { isAdmin: true }],
        ['a', 2],
      ]);
      expect([found['isAdmin'], Object.getPrototypeOf(found)]).toEqual([
        undefined,
        Object.prototype,
      ]);
    }
  });
});

describe('W9, W10', () => {
  const other = '{"type":"reply","id":ID,"ok":true,"result":2}';
  const NOBODY = '"id":999999';
  it.each<readonly [what: string, texts: readonly string[]]>([
    ['W9 a second reply', [REPLY, other]],
    ['W10 a reply to nobody', [`{"type":"reply",${NOBODY},"ok":true,"result":2}`, REPLY]],
    ['W10 an item for nobody', [`{"type":"item",${NOBODY},"seq":0,"value":2}`, REPLY]],
    ['W10 progress for nobody', [`{"type":"progress",${NOBODY},"value":2}`, REPLY]],
    [
      'W10 a callback for nobody',
      [`{"type":"callback",${NOBODY},"callback":1,"name":"f","args":{}}`, REPLY],
    ],
  ])('%s is dropped and told; the call has its own', async (_what, texts) => {
    const pool = await started();
    const pid = await pool.call('pid');
    const dropped = nextEvent(runtime, 'reply.dropped');
    expect(await speak(...texts)).toBe(1);
    expect(await dropped).toMatchObject({ path: 'rows/0', epoch: 1 });
    expect(await pool.call('pid')).toBe(pid);
  });
});

describe('W11', () => {
  it('W11 a reply that is late settles nothing twice, and until it has come its worker has no other call', async () => {
    const pool = await started();
    const error = await rejection(pool.call('late', {}, { timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await pool.call('echo', { mine: true })).toEqual({ mine: true });
    expect(await (error['cancellation'] as Cancellation).settled).toBe('raise');
    expect(await pool.call('order')).toEqual(['late reply', 'echo']);
    expect(epochs()).toEqual([1]);
  });
});

describe('W12', () => {
  it.each<readonly [how: string, plan: BadPlan, prefetch: number]>([
    ['of calls that run at a time', { execution: 'threads', concurrency: 4 }, 0],
    ['of calls that were written ahead', {}, 3],
  ])('W12 replies out of order find their callers by number: %s', async (_how, plan, prefetch) => {
    const pool = await started(plan, { prefetch });
    const names = ['a', 'b', 'c', 'd'];
    const calls = names.map((name) => pool.call('backwards', { name, count: names.length }));
    const order: unknown[] = [];
    for (const call of calls) void call.then((name) => order.push(name));
    expect(await Promise.all(calls)).toEqual(names);
    expect(order).toEqual([...names].reverse());
  });
});

describe('W13, W14', () => {
  it('W13 a worker that writes no more and lives is killed at once, and its call is lost', async () => {
    const pool = await started();
    const pid = (await pool.call('pid')) as number;
    const error = await rejection(pool.call('half_close'));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(isAlive(pid)).toBe(false);
  });

  it('W14 a worker that reads no more and lives is killed at the first write, and its call is lost', async () => {
    const pool = await started();
    const pid = (await pool.call('pid')) as number;
    expect(await pool.call('read_no_more')).toBe('deaf');
    const error = await rejection(pool.call('echo', { a: 1 }));
    expect(error).toMatchObject({ code: 'worker_crashed', outcome: 'maybeExecuted', epoch: 1 });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(isAlive(pid)).toBe(false);
  });
});

describe('W16', () => {
  const items = [0, 1, 2].map((seq) => `{"type":"item","id":ID,"seq":${seq},"value":"é${seq}"}`);
  it.each(['speak', 'speak_slowly'])(
    'W16 frames that come all at once, or byte by byte, are the same frames: %s',
    async (op) => {
      const pool = await started();
      const seen: unknown[] = [];
      for await (const item of pool.stream(op, { texts: [...items, REPLY] })) seen.push(item);
      expect(seen).toEqual(['é0', 'é1', 'é2']);
    },
  );

  it('W16 a frame that stops in its middle is ended by the deadline of its call', async () => {
    const pool = await started();
    const call = pool.call('emit', { hex: '0000004000000040' }, { timeoutMs: 100 });
    const error = await rejection(call);
    expect(error).toMatchObject({ code: 'deadline_exceeded', outcome: 'maybeExecuted' });
    expect(await pool.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(epochs()).toEqual([2]);
  });
});
