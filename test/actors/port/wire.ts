// How does a test hold both ends of a port? A process and connections whose facts it tells in any order.
import { LIMITS } from '../../../actors/ground/limits.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';
import type { ProcessFact } from '../../../actors/port/launcher.ts';
import type { PortRequest } from '../../../actors/port/port-types.ts';
import { openPort } from '../../../actors/port/port.ts';
import { noGuard, type RunGuard } from '../../../actors/port/run-guard.ts';
import { LANES, type Lane, type LinkFact, type WriteTime } from '../../../actors/port/transport.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

type PortFact = Parameters<Parameters<typeof openPort>[2]>[0];

export const REQUEST = {
  ...{ workerId: 'p/0', epoch: 3, nonce: 'n', scratchDir: '/scratch' },
  spawn: { command: 'python', args: ['-c', 'x'], env: { GIVEN: '1' } },
  bridge: { framework: 'p', module: 'scripted' },
};
export const CALL = {
  type: 'call',
  id: 1,
  op: 'echo',
  args: encodeValue({}, 'args'),
  session: null,
  deadlineMs: 5,
} as const;
export const HELLO = {
  ...{ type: 'hello', protocol: '2.2', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 4711, gil: 'enabled' },
};
export const READY = {
  ...{ type: 'ready', bridge: 'b', operations: ['echo'], schemas: {}, schemaHash: 'abc' },
  ...{ execution: 'sync', concurrency: 1 },
  framework: { name: 'b', version: '1', capabilities: [] },
};
export const REPLY = { type: 'reply', id: 1, ok: true, result: 'done' };
export const WIRE_LANES = ['control', 'calls', 'replies'] as const;

export interface Given {
  readonly request?: Partial<PortRequest>;
  readonly guard?: Partial<RunGuard>;
}

export function wire(given: Given = {}) {
  const clock = new VirtualClock();
  const facts: PortFact[] = [];
  const kills: string[] = [];
  const notices: string[] = [];
  /** What the guard was told and what was written, in one order. */
  const order: string[] = [];
  const written: {
    readonly lane: string;
    readonly parts: readonly Uint8Array[];
    readonly when: WriteTime;
  }[] = [];
  let environment: Readonly<Record<string, string>> = {};
  let tellProcess: (fact: ProcessFact) => void = () => undefined;
  let tellLink: (fact: LinkFact) => void = () => undefined;
  let isLinkClosed = false;
  const guard: RunGuard = {
    ...noGuard,
    launched: (pid, workerId, epoch) => order.push(`launched ${pid} ${workerId} ${epoch}`),
    ended: (pid, workerId, epoch) => order.push(`ended ${pid} ${workerId} ${epoch}`),
    ...given.guard,
  };
  const port = openPort(
    { ...REQUEST, ...given.request },
    {
      ...{ clock, guard },
      spawner: {
        spawn: ({ env }, listener) => {
          environment = env;
          tellProcess = listener;
          return {
            kill: (signal) => kills.push(signal),
            notify: (signal) => notices.push(signal),
          };
        },
      },
      transport: {
        address: '/socket',
        expect: (_nonce, listener) => {
          tellLink = listener;
          const close = () => {
            isLinkClosed = true;
          };
          const write = (
            lane: string,
            bytes: Uint8Array | readonly Uint8Array[],
            when: WriteTime = 'now',
          ) => {
            const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
            written.push({ lane, parts, when });
            order.push(`${lane} ${String(headersOf(parts)[0]?.['type'])}`);
          };
          return { write, close };
        },
      },
    },
    (fact) => facts.push(fact),
  );
  const opened = (...lanes: readonly Lane[]): void => {
    for (const lane of lanes) tellLink({ type: 'opened', lane });
  };
  const message = (lane: Lane, one: object): void =>
    tellLink({ type: 'bytes', lane, bytes: encodeFrame(one) });
  return {
    ...{ clock, facts, kills, notices, order, port, opened, message },
    process: (fact: ProcessFact) => tellProcess(fact),
    /** Started, with all of its lanes: it may say hello. */
    connected: () => {
      tellProcess({ type: 'spawned', pid: 7 });
      opened(...LANES);
      facts.length = 0;
    },
    /** The exit, and the end of the pipes that the process had before its lanes. */
    exited: (status: number | null, signal: string | null = null) => {
      tellProcess({ type: 'exited', status, signal });
      tellProcess({ type: 'closed' });
    },
    bytes: (lane: Lane, bytes: Buffer | string) =>
      tellLink({ type: 'bytes', lane, bytes: Buffer.from(bytes) }),
    ended: (...lanes: readonly Lane[]) => {
      for (const lane of lanes) tellLink({ type: 'ended', lane });
    },
    types: () => facts.map(({ type }) => type),
    environment: () => environment,
    isLinkClosed: () => isLinkClosed,
    /** When each write goes out. */
    times: () => written.map(({ when }) => when),
    /** The buffers of each write. */
    parts: () => written.map(({ parts }) => parts),
    /** Messages written to Node's lanes, each behind the name of its lane. */
    written: () => written.map(({ lane, parts }) => [lane, ...headersOf(parts)]),
  };
}

function headersOf(parts: readonly Uint8Array[]): readonly Record<string, unknown>[] {
  return new FrameDecoder(LIMITS.frameBytesMax).push(Buffer.concat(parts));
}
