// What do the clients of a pool do all the time? Each kind of load is a loop until the run is over.
import { isDeepStrictEqual } from 'node:util';

import type { Client, Order } from './client.ts';
import { liveSessions } from './session-load.ts';

export type Load = (client: Client, isOver: () => boolean) => Promise<void>;

const WORK_MS_MAX = 12;
/** Far above what a call in a queue at full load gets: most of them are cut short while they run or wait. */
const LONG_WORK_MS = 200;
const CUT_MS_MAX = 60;
const ITEMS_MAX = 60;
const BATCH_MAX = 12;
const HELD_CALLS_MAX = 6;
const SMALL = {
  text: 'x'.repeat(64),
  list: [1, 2.5, null, true, 'ü 😀'],
  map: { deep: { er: 1 } },
};
const TEXT_LENGTH = 256 * 1024;
const BYTES_LENGTH = 1024 * 1024;

/** Values of every size come back as they went. */
async function echo(client: Client, isOver: () => boolean): Promise<void> {
  const values = [SMALL, SMALL, SMALL, 'ä'.repeat(TEXT_LENGTH), bytes(BYTES_LENGTH)];
  while (!isOver()) {
    const value = client.dice.one(values);
    const given = await client.call({ op: 'echo', args: { value }, ...retries(client) });
    if (given.type === 'answer' && !isDeepStrictEqual(given.value, value))
      client.complain('an echo came back as something else');
  }
}

/** Work that takes time and may be repeated. */
async function work(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const n = client.nonce();
    const args = { n, ms: client.dice.between(0, WORK_MS_MAX) };
    const given = await client.call({ op: 'work', args, ...retries(client) });
    if (given.type === 'answer' && given.value !== n) client.complain(`work ${n} is another's`);
  }
}

/** Many small calls at once, which go to Python together and come back each by itself. */
async function batches(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const calls = Array.from({ length: client.dice.between(1, BATCH_MAX) }, () => square(client));
    await Promise.all(calls);
  }
}

async function square(client: Client): Promise<void> {
  const n = client.nonce();
  const [message, cut] = [`${client.name} ${n}`, client.dice.percent(4)];
  if (client.dice.percent(4)) {
    await client.call({ op: 'square', args: { message }, wanted: { type: 'raise', message } });
    return;
  }
  const end = cut ? abortAfter(client.dice.between(0, WORK_MS_MAX)) : {};
  const given = await client.call({ op: 'square', args: { n }, ...retries(client), ...end });
  if (given.type === 'answer' && given.value !== n ** 2) client.complain(`${n}² is another's`);
}

/** A worker that is held alone: all calls run there, in order. */
async function checkouts(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await client.hold(undefined, async (on) => {
      for (let left = client.dice.between(0, HELD_CALLS_MAX); left > 0; left -= 1) {
        const n = client.nonce();
        const given = await client.call({ op: 'work', args: { n, ms: 2 }, on });
        if (given.type === 'answer' && given.value !== n) client.complain(`${n} is another's`);
      }
    });
    // Else the others get too little of a small pool.
    await client.call({ op: 'work', args: { n: 0, ms: WORK_MS_MAX } });
  }
}

/** Generators that are read to their end, or left in the middle. */
async function streams(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const isLeft = client.dice.percent(30);
    const to = client.dice.between(0, ITEMS_MAX);
    const cut = isLeft ? abortAfter(client.dice.between(1, CUT_MS_MAX)) : {};
    const order: Order = { op: isLeft ? 'endless' : 'count', args: { to, ms: 0 }, ...cut };
    let next = 0;
    const given = await client.read(order, (item) => {
      if (item !== next) client.complain(`item ${next} of a stream is ${String(item)}`);
      next += 1;
    });
    if (given.type === 'answer' && (isLeft || next !== to))
      client.complain(`a stream of ${isLeft ? 'no end' : to} ended after ${next} items`);
  }
}

/** Calls whose caller has enough of them, waiting or running. */
async function aborts(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const args = { n: client.nonce(), ms: LONG_WORK_MS };
    await client.call({ op: 'work', args, ...abortAfter(client.dice.between(0, CUT_MS_MAX)) });
  }
}

/** Calls that get less time than they may need. */
async function deadlines(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const timeoutMs = client.dice.between(1, CUT_MS_MAX);
    const args = { n: client.nonce(), ms: client.dice.between(0, LONG_WORK_MS) };
    await client.call({ op: 'work', args, wanted: { type: 'deadline', timeoutMs } });
  }
}

/** Python's own errors. */
async function errors(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const message = `${client.name} ${client.nonce()}`;
    await client.call({ op: 'fail', args: { message }, wanted: { type: 'raise', message } });
    await client.call({ op: 'work', args: { n: 0, ms: WORK_MS_MAX } });
  }
}

/** What is made without a session can be used without a session, on whichever worker. */
async function anonymous(client: Client, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const [id, value] = [`${client.name} ${client.nonce()}`, client.nonce()];
    const put = await client.call({ op: 'put', args: { id, values: [value] } });
    if (put.type === 'error') continue;
    await Promise.all([1, 2, 3].map(() => expectRead(client, id, [value])));
    const drop = await client.call({ op: 'drop', args: { id } });
    if (drop.type === 'answer') await expectRead(client, id, null);
  }
}

async function expectRead(client: Client, id: string, expected: unknown): Promise<void> {
  const given = await client.call({ op: 'read', args: { id } });
  if (given.type === 'answer' && !isDeepStrictEqual(given.value, expected))
    client.complain(`${id} is ${JSON.stringify(given.value)}, not ${JSON.stringify(expected)}`);
}

/** The configuration of the bridge is that of every worker, the next one too. */
async function configuration(client: Client, isOver: () => boolean): Promise<void> {
  let version = 0;
  while (!isOver()) {
    const next = client.nonce();
    const set = await client.call({ op: 'configure', args: { version: next } });
    if (set.type === 'answer') version = next;
    for (let again = 0; again < 5; again += 1) {
      const given = await client.call({ op: 'configured' });
      if (given.type === 'answer' && given.value !== version)
        client.complain(`configuration is ${String(given.value)}, not ${version}`);
    }
  }
}

/** Every kind of load, and how many clients make it. Only one may configure. */
export const LOADS: Readonly<Record<string, { readonly clients: number; readonly load: Load }>> = {
  session: { clients: 8, load: liveSessions },
  echo: { clients: 4, load: echo },
  work: { clients: 6, load: work },
  batch: { clients: 2, load: batches },
  checkout: { clients: 2, load: checkouts },
  stream: { clients: 3, load: streams },
  abort: { clients: 2, load: aborts },
  deadline: { clients: 2, load: deadlines },
  error: { clients: 1, load: errors },
  anonymous: { clients: 2, load: anonymous },
  configuration: { clients: 1, load: configuration },
};

function retries({ dice }: Client): Pick<Order, 'maxRetries'> {
  return { maxRetries: dice.percent(50) ? 0 : undefined };
}

function abortAfter(ms: number): Pick<Order, 'wanted' | 'signal'> {
  return { wanted: { type: 'abort' }, signal: AbortSignal.timeout(ms) };
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
}
