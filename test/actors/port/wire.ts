// How does a test hold both ends of a port? A process and connections whose facts it tells in any order.
import { LIMITS } from '../../../actors/ground/limits.ts';
import { encodeFrame, FrameDecoder } from '../../../actors/port/frame.ts';
import type { ProcessFact } from '../../../actors/port/launcher.ts';
import { openPort } from '../../../actors/port/port.ts';
import type { Lane, LinkFact } from '../../../actors/port/transport.ts';
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
  args: {},
  session: null,
  deadlineMs: 5,
} as const;
export const HELLO = {
  ...{ type: 'hello', protocol: '2.0', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 4711, gil: 'enabled' },
};
export const REPLY = { type: 'reply', id: 1, ok: true, result: 'done' };
export const WIRE_LANES = ['control', 'calls', 'replies'] as const;

export function wire() {
  const clock = new VirtualClock();
  const facts: PortFact[] = [];
  const kills: string[] = [];
  const written: Buffer[] = [];
  let environment: Readonly<Record<string, string>> = {};
  let tellProcess: (fact: ProcessFact) => void = () => undefined;
  let tellLink: (fact: LinkFact) => void = () => undefined;
  let isLinkClosed = false;
  const port = openPort(
    REQUEST,
    {
      clock,
      spawner: {
        spawn: ({ env }, listener) => {
          environment = env;
          tellProcess = listener;
          return { kill: (signal) => kills.push(signal), notify: () => undefined };
        },
      },
      transport: {
        address: '/socket',
        expect: (_nonce, listener) => {
          tellLink = listener;
          const close = () => {
            isLinkClosed = true;
          };
          return { write: (lane, bytes) => written.push(Buffer.from(`${lane} `), bytes), close };
        },
      },
    },
    (fact) => facts.push(fact),
  );
  return {
    ...{ clock, facts, kills, port },
    process: (fact: ProcessFact) => tellProcess(fact),
    /** The exit, and the end of the pipes that the process had before its lanes. */
    exited: (status: number | null, signal: string | null = null) => {
      tellProcess({ type: 'exited', status, signal });
      tellProcess({ type: 'closed' });
    },
    opened: (...lanes: readonly Lane[]) => {
      for (const lane of lanes) tellLink({ type: 'opened', lane });
    },
    bytes: (lane: Lane, bytes: Buffer | string) =>
      tellLink({ type: 'bytes', lane, bytes: Buffer.from(bytes) }),
    message: (lane: Lane, message: object) =>
      tellLink({ type: 'bytes', lane, bytes: encodeFrame(message) }),
    ended: (...lanes: readonly Lane[]) => {
      for (const lane of lanes) tellLink({ type: 'ended', lane });
    },
    types: () => facts.map(({ type }) => type),
    environment: () => environment,
    isLinkClosed: () => isLinkClosed,
    /** Messages written to Node's lanes, each behind the name of its lane. */
    written: () =>
      Array.from({ length: written.length / 2 }, (_, index) => [
        written[2 * index]!.toString().trim(),
        ...new FrameDecoder(LIMITS.frameBytesMax).push(written[2 * index + 1]!),
      ]),
  };
}
