// Where in the handshake is this worker, and what is it to be told? `docs/protocol.md` §3; pure.
import { ProtocolError } from '../ground/start-errors.ts';
import type { Hello, WorkerInfo } from '../ground/worker-facts.ts';
import { judgeHello } from './handshake.ts';
import { LIMITS } from '../ground/limits.ts';
import type { ControlMessage, WelcomeMessage } from './message.ts';
import type { PortRequest } from './port-types.ts';

/** The worker's `hello` while it waits for its answer; `over` after `ready`, `failed` or a refusal. */
export type Greeting = Hello | 'awaited' | 'answered' | 'over';

export type GreetingAnswer =
  | { readonly type: 'wait' }
  | { readonly type: 'welcome'; readonly welcome: WelcomeMessage; readonly hello: Hello }
  | { readonly type: 'refuse'; readonly reason: string };

/** @throws {@link ProtocolError} for a message of the handshake that is not due, and for any other before its end. */
export function assertInTurn(greeting: Greeting, { type }: ControlMessage): void {
  if (type === 'log') return;
  const isDue =
    type === 'hello'
      ? greeting === 'awaited'
      : type === 'ready' || type === 'failed'
        ? greeting === 'answered'
        : greeting === 'answered' || greeting === 'over';
  if (!isDue) throw new ProtocolError(`control lane: message of type ${type} out of turn`);
}

/** What a worker that has said hello is told. Nothing before all of its connections are known: what is written to one that is not would go nowhere. */
export function answerTo(
  greeting: Greeting,
  lanes: 'all' | 'some',
  request: PortRequest,
): GreetingAnswer {
  if (typeof greeting === 'string' || lanes === 'some') return { type: 'wait' };
  const verdict = judgeHello(greeting);
  if (verdict.type === 'refuse') return verdict;
  const { workerId, epoch, scratchDir, bridge, concurrency, limits } = request;
  const welcome: WelcomeMessage = {
    type: 'welcome',
    protocol: verdict.protocol,
    workerId,
    epoch,
    mode: 'pool-worker',
    frameBytesMax: LIMITS.frameBytesMax,
    scratchDir,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(limits === undefined ? {} : { limits }),
    bridge,
  };
  return { type: 'welcome', welcome, hello: greeting };
}

/** @throws {@link ProtocolError} when the worker offers other operations than were expected. */
export function assertExpected(info: WorkerInfo, { schemaHash }: PortRequest): void {
  if (schemaHash === undefined || schemaHash === info.schemaHash) return;
  throw new ProtocolError(
    `schema hash ${info.schemaHash} found, ${schemaHash} wanted: the bridge's operations have changed; it has ${info.operations.join(', ')}`,
  );
}
