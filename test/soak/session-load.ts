// Does a session hold exactly what its caller knows was acknowledged? Nothing lost, nothing doubled, in order.
import { isDeepStrictEqual } from 'node:util';

import type { Answer, Client, Held, Order } from './client.ts';

/** The most that one session does before it is ended and another begins. */
const ROUNDS_MAX = 12;
/** Calls that are made without waiting for one another. */
const BURST_MAX = 6;
const CELLS = ['a', 'b', 'c'];
/** Wherever a session is called, it holds the same. */
const AFFINITIES = ['required', 'required', 'required', 'preferred', 'none'] as const;
/** What one operation takes in Python. */
const WORK_MS_MAX = 4;

/** What the caller knows: the lists that were acknowledged, by their ids. */
type Known = Map<string, readonly number[]>;

/** A change, and what is known once it is acknowledged. */
interface Step {
  readonly order: Order;
  readonly apply: (known: Known) => void;
  /** What Python answers when it is applied. */
  readonly answer: (known: Known) => unknown;
}

/** One session after the other, until the run is over. */
export async function liveSessions(client: Client, isOver: () => boolean): Promise<void> {
  for (let life = 0; !isOver(); life += 1) await liveOnce(client, `${client.name}.${life}`, isOver);
}

async function liveOnce(client: Client, sessionId: string, isOver: () => boolean): Promise<void> {
  const known: Known = new Map();
  const rounds = client.dice.between(2, ROUNDS_MAX);
  for (let round = 0; round < rounds && !isOver(); round += 1) {
    if (client.dice.percent(15)) await held(client, sessionId, known);
    else await burst(client, sessionId, known);
    await check(client, sessionId, known);
  }
  await client.bridge.endSession(sessionId);
}

/** Some changes at once: they run in the order in which they were asked for. */
async function burst(client: Client, sessionId: string, known: Known, on?: Held): Promise<void> {
  const closed = new Set<string>();
  const steps: Step[] = [];
  for (let left = client.dice.between(1, BURST_MAX); left > 0; left -= 1) {
    const id = client.dice.one(CELLS.filter((cell) => !closed.has(cell)));
    if (id === undefined) break;
    const step = nextStep(client, {
      sessionId,
      id,
      isThere: known.has(id),
      isHeld: on !== undefined,
    });
    if (step.order.op !== 'append') closed.add(id);
    steps.push(step);
  }
  const place = on === undefined ? {} : { on };
  const answers = await Promise.all(steps.map(({ order }) => client.call({ ...order, ...place })));
  for (const [index, step] of steps.entries()) learn(client, step, answers[index]!, known);
}

function learn(client: Client, { order, apply, answer }: Step, given: Answer, known: Known): void {
  if (given.type === 'error') return;
  apply(known);
  const expected = answer(known);
  if (isDeepStrictEqual(given.value, expected)) return;
  const { op, args, sessionId } = order;
  client.complain(
    `${op} ${JSON.stringify(args)} of session ${sessionId ?? ''} answered ${JSON.stringify(given.value)}, known is ${JSON.stringify(expected)}`,
  );
}

/** Any of the calls before it may fail, so it makes sense without them: a list that is made or deleted is not touched again in the same burst. */
function nextStep(
  client: Client,
  place: {
    readonly sessionId: string;
    readonly id: string;
    readonly isThere: boolean;
    readonly isHeld: boolean;
  },
): Step {
  const { sessionId, id, isThere, isHeld } = place;
  const { dice } = client;
  const value = client.nonce();
  const order = (op: string, args: object): Order => {
    const ms = dice.between(0, WORK_MS_MAX);
    const maxRetries = dice.percent(50) ? 0 : undefined;
    const affinity = dice.one(AFFINITIES);
    // A change that is cut short takes its worker along, and a checkout ends with that.
    const cut = isHeld ? {} : cutShort(client);
    return { op, args: { id, ms, ...args }, sessionId, affinity, maxRetries, ...cut };
  };
  if (!isThere) {
    return {
      order: order('put', { values: [value] }),
      apply: (known) => known.set(id, [value]),
      answer: () => [value],
    };
  }
  if (dice.percent(15)) {
    return { order: order('drop', {}), apply: (known) => known.delete(id), answer: () => true };
  }
  return {
    order: order('append', { value }),
    apply: (known) => known.set(id, [...(known.get(id) ?? []), value]),
    answer: (known) => known.get(id),
  };
}

/** Now and then a caller has enough of a change that may be running: then it must not be there. */
function cutShort({ dice }: Client): Pick<Order, 'signal' | 'wanted'> {
  if (!dice.percent(3)) return {};
  const afterMs = dice.between(1, 2 * WORK_MS_MAX);
  if (dice.percent(50)) return { wanted: { type: 'deadline', timeoutMs: afterMs } };
  return { wanted: { type: 'abort' }, signal: AbortSignal.timeout(afterMs) };
}

/** The same with its worker held alone. */
async function held(client: Client, sessionId: string, known: Known): Promise<void> {
  await client.hold(sessionId, (on) => burst(client, sessionId, known, on));
}

/** Everything that the session holds, against everything that is known. */
async function check(client: Client, sessionId: string, known: Known): Promise<void> {
  const given = await client.call({ op: 'read_all', sessionId });
  if (given.type === 'error') return;
  const expected = Object.fromEntries(known);
  if (isDeepStrictEqual(given.value, expected)) return;
  client.complain(
    `session ${sessionId} holds ${JSON.stringify(given.value)}, known is ${JSON.stringify(expected)}`,
  );
}
