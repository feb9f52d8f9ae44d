// Does the service do what it promises? It is started as a process of its own and used over HTTP: an answer, a stream, a client that leaves, and SIGTERM in the middle of a call.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { startLocalModel } from '../../../src/testing/index.ts';
import { processesLeft } from '../processes.ts';

/** Starts of Python on a machine that does other things too. */
const WAIT_MS = 60_000;
/** From the last answer to the end of the process: two workers end, and no connection is left open. */
const END_MS = 10_000;
const show = (what: string, value: unknown): void => console.log(`${what}:`, value);

/** Start the service on a free port, use it, end it. Rejects with the first promise that is not kept. */
export async function check(): Promise<void> {
  await using model = await startLocalModel();
  const env = { ...process.env, PORT: '0', MODEL_URL: model.baseUrl };
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const program = process.argv.slice(1, 2);
  const service = spawn(process.execPath, [...process.execArgv, ...program], {
    env,
    stdio: [...stdio],
  });
  const ended = once(service, 'exit');
  try {
    const signal = AbortSignal.timeout(WAIT_MS);
    const [url] = (await once(createInterface(service.stdout), 'line', { signal })) as [string];
    await use(url);
    await leave(url, model);
    const seen = descendantsOf(service.pid ?? 0);
    assert(seen.length >= 2);
    await endInTheMiddle(url, model, service.pid ?? 0);
    const answeredMs = performance.now();
    assert.deepEqual(await ended, [0, null]);
    assert(performance.now() - answeredMs < END_MS, 'a connection or a worker held the end up');
    assert.deepEqual(processesLeft(new Set(seen)), []);
    show('ended', `${seen.length} processes, none is left`);
  } finally {
    service.kill('SIGKILL');
  }
}

type Model = Awaited<ReturnType<typeof startLocalModel>>;

function ask(url: string, question: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ question });
  return fetch(`${url}/ask`, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(WAIT_MS),
  });
}

function listen(url: string, question: string, signal: AbortSignal): Promise<Response> {
  return fetch(`${url}/stream?${new URLSearchParams({ question }).toString()}`, { signal });
}

async function use(url: string): Promise<void> {
  const page = await fetch(url, { signal: AbortSignal.timeout(WAIT_MS) });
  assert.match(await page.text(), /new EventSource/u);
  const answer = await ask(url, 'What is 17 * 23?');
  assert.equal(answer.status, 200);
  const answered = await answer.json();
  show('POST /ask', answered);
  assert.deepEqual(answered, { answer: '391' });
  assert.equal((await ask(url, 23)).status, 200); // Fastify makes it a text
  assert.equal((await ask(url, '')).status, 400);

  const stream = await listen(url, 'What is 2 + 2?', AbortSignal.timeout(WAIT_MS));
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  const events = (await stream.text()).trim().split('\n\n');
  show('GET /stream', events);
  assert.match(events[0] ?? '', /^event: token\ndata: "/u);
  assert.equal(events.at(-1), 'event: done\ndata: {"answer":"4"}');
}

/** A client that leaves before the first token: the call is cancelled, and the model asked no longer. */
async function leave(url: string, model: Model): Promise<void> {
  model.inject({ kind: 'hang', match: { contains: 'What is 6 * 7?' } });
  const gone = new AbortController();
  const left = assert.rejects(listen(url, 'What is 6 * 7?', gone.signal), { name: 'AbortError' });
  await model.nextRequest({ matching: 'What is 6 * 7?', timeoutMs: WAIT_MS });
  gone.abort();
  await left;
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const { counters, gauges } = await health(url);
    if (counters.cancelled === 1 && gauges.running === 0 && model.aborted === 1) break;
    assert(performance.now() < deadline, `still running: ${JSON.stringify({ counters, gauges })}`);
  }
  show('client gone', 'the call was cancelled, and its request to the model closed');
}

interface Health {
  readonly counters: { readonly cancelled: number };
  readonly gauges: { readonly running: number };
}

async function health(url: string): Promise<Health> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(WAIT_MS) });
  assert.equal(response.status, 200);
  return (await response.json()) as Health;
}

/** Who was asked before the end answers; who comes after it finds nobody. */
async function endInTheMiddle(url: string, model: Model, pid: number): Promise<void> {
  model.inject({ kind: 'slow', delayMs: 500, match: { contains: 'What is 3 + 4?' } });
  const late = ask(url, 'What is 3 + 4?');
  await model.nextRequest({ matching: 'What is 3 + 4?', timeoutMs: WAIT_MS });
  process.kill(pid, 'SIGTERM');
  const answer = await late;
  show('SIGTERM in the middle', answer.status);
  assert.deepEqual(await answer.json(), { answer: '7' });
  await assert.rejects(ask(url, 'What is 1 + 1?'));
}

/** The processes below one, and those below them. */
function descendantsOf(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(' ').map(Number),
  );
  return children.filter((child) => child > 0).flatMap((child) => [child, ...descendantsOf(child)]);
}
