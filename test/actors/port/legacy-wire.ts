// How does a test hold both ends of a v1 port? A process whose facts it tells in any order, and what is written to its stdin.
import type { ProcessFact, SpawnRequest } from '../../../actors/port/launcher.ts';
import { encodeValue } from '../../../actors/port/codec.ts';
import { openLegacyPort } from '../../../actors/port/legacy-port.ts';
import type { CallMessage } from '../../../actors/port/message.ts';
import type { PortFact, PortRequest } from '../../../actors/port/port-types.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

export const REQUEST: PortRequest = {
  ...{ workerId: 'p/0', epoch: 3, nonce: 'n', scratchDir: '/scratch' },
  spawn: { command: 'python', args: ['/bridge.py'], env: { GIVEN: '1' }, stdio: 'wire' },
  bridge: { framework: 'p', script: '/bridge.py' },
};

export const PONG = {
  status: 'ok',
  framework: { name: 'my_ml', version: '1.0.0', capabilities: ['custom_ops'] },
};

/** The call `id` of `op`, as a port is given it. */
export function callOf(
  id: number,
  more: Partial<CallMessage> = {},
): [id: number, message: CallMessage, when: 'now'] {
  const args = encodeValue({ n: id }, 'args');
  return [id, { op: 'echo', args, session: null, deadlineMs: 5, ...more }, 'now'];
}

export function v1Bytes(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}

export function legacyWire(request: Partial<PortRequest> = {}) {
  const clock = new VirtualClock();
  const facts: PortFact[] = [];
  const kills: string[] = [];
  const guarded: string[] = [];
  const written: Record<string, unknown>[] = [];
  let input: 'open' | 'ended' = 'open';
  let spawned: SpawnRequest | undefined;
  let tellProcess: (fact: ProcessFact) => void = () => undefined;
  let endWire: () => void = () => undefined;
  const port = openLegacyPort(
    { ...REQUEST, ...request },
    {
      clock,
      guard: {
        envOf: (workerId, epoch) => ({ CADUCEUS_INCARNATION: `run/${workerId}/${epoch}` }),
        parentPid: undefined,
        launched: (pid) => guarded.push(`launched ${pid}`),
        ended: (pid) => guarded.push(`ended ${pid}`),
      },
      spawner: {
        spawn: (asked, listener) => {
          spawned = asked;
          tellProcess = listener;
          return {
            kill: (signal) => kills.push(signal),
            notify: (signal) => kills.push(signal),
            write: (bytes) => {
              const json = Buffer.from(bytes.subarray(4)).toString();
              written.push(JSON.parse(json) as Record<string, unknown>);
            },
            endInput: () => {
              input = 'ended';
            },
            whenWireEnds: (listen) => {
              endWire = listen;
            },
          };
        },
      },
      transport: {
        address: '/socket',
        expect: () => {
          throw new Error('a v1 script has no connections');
        },
      },
    },
    (fact) => facts.push(fact),
  );
  const wire = {
    ...{ clock, facts, kills, guarded, port, written },
    process: (fact: ProcessFact) => tellProcess(fact),
    spawnRequest: () => spawned,
    input: () => input,
    endWire: () => endWire(),
    stdout: (bytes: Buffer | string) =>
      tellProcess({ type: 'output', stream: 'stdout', bytes: Buffer.from(bytes) }),
    stderr: (text: string) =>
      tellProcess({ type: 'output', stream: 'stderr', bytes: Buffer.from(text) }),
    /** The script answers message `id` of the wire. */
    reply: (id: number, result: unknown) => wire.stdout(v1Bytes({ id, success: true, result })),
    refuse: (id: number, error: string) => wire.stdout(v1Bytes({ id, success: false, error })),
    exited: (status: number | null, signal: string | null = null) => {
      tellProcess({ type: 'exited', status, signal });
      tellProcess({ type: 'closed' });
    },
    /** Until calls are taken. */
    start: () => {
      tellProcess({ type: 'spawned', pid: 7 });
      wire.reply(1, PONG);
      wire.reply(2, { supported_operations: ['ping', 'echo'] });
      facts.length = 0;
      written.length = 0;
      return wire;
    },
    types: () => facts.map(({ type }) => type),
  };
  return wire;
}
