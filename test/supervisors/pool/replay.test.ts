import { describe, expect, it, vi } from 'vitest';
import type { Worker } from '../../../actors/worker/worker-types.ts';
import { inSession, pooled, remember, shown } from './calling.ts';

const written = ({ world }: ReturnType<typeof pooled>) =>
  world.callsWritten.map(
    ({ op, args, session }) => `${op} ${String(args['id'])} ${session ?? '-'}`,
  );

async function crash(setup: ReturnType<typeof pooled>): Promise<void> {
  setup.call('exit');
  await setup.done();
  setup.world.callsWritten.length = 0;
}

describe('state', () => {
  it('of a session is rebuilt on the next incarnation before its first call', async () => {
    const setup = pooled();
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    await setup.done();
    expect([shown(use), written(setup)]).toEqual(['used x in 2', ['create x s', 'use x s']]);
  });

  it('of a session is rebuilt once for each incarnation', async () => {
    const setup = pooled();
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    for (const id of ['x', 'x']) setup.call('use', { id }, inSession('s'));
    await setup.done();
    expect(written(setup)).toEqual(['create x s', 'use x s', 'use x s']);
  });

  it('of a session is not told to those that do not ask for it', async () => {
    const setup = pooled();
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    setup.call('echo');
    setup.call('echo', {}, inSession('t'));
    await setup.done();
    expect(setup.world.callsWritten.map(({ op }) => op)).toEqual(['echo', 'echo']);
  });

  it('without a session is usable on either worker', async () => {
    const setup = pooled({ size: 2 });
    setup.call('create', { id: 'x' });
    await setup.done();
    const both = [setup.call('use', { id: 'x' }), setup.call('use', { id: 'x' })];
    await setup.done();
    expect(both.map(shown)).toEqual(['used x in 1', 'used x in 2']);
  });

  it('that was deleted is gone on either worker', async () => {
    const setup = pooled({ size: 2 });
    setup.call('create', { id: 'x' });
    await setup.done();
    for (let calls = 0; calls < 2; calls += 1) setup.call('use', { id: 'x' });
    await setup.done();
    setup.call('delete', { id: 'x' });
    await setup.done();
    const both = [setup.call('use', { id: 'x' }), setup.call('use', { id: 'x' })];
    await setup.done();
    expect(both.map(shown)).toEqual(Array(2).fill('program_not_found maybeExecuted'));
  });

  it('that was deleted elsewhere while a worker was told of it is gone there too', async () => {
    const held: (() => void)[] = [];
    const setup = pooled(
      { size: 2 },
      {
        onCall: (process, call) => {
          // The second worker is slow to answer the replay.
          if (process.pid === 2 && call.op === 'create') held.push(() => remember(process, call));
          else remember(process, call);
        },
      },
    );
    setup.call('create', { id: 'x' });
    await setup.done();
    setup.call('hang');
    setup.call('use', { id: 'x' });
    await setup.done();
    setup.world.processes[0]?.reply(setup.world.callsWritten[1]!.id, 'no longer hanging');
    await setup.done();
    setup.call('delete', { id: 'x' });
    await setup.done();
    for (const release of held) release();
    await setup.done();
    setup.call('hang');
    const after = setup.call('use', { id: 'x' });
    await setup.done();
    expect(shown(after)).toBe('program_not_found maybeExecuted');
  });
});

describe('a configuration without a session', () => {
  const change = { change: 'configure', key: 'configure' } as const;
  const configures = (setup: ReturnType<typeof pooled>) =>
    setup.world.callsWritten.flatMap(({ op, args }) => (op === 'configure' ? [args['lm']] : []));

  it('reaches the other live workers before their next call', async () => {
    const setup = pooled({ size: 3 });
    setup.call('configure', { lm: 'a' }, { change });
    await setup.done();
    for (let calls = 0; calls < 3; calls += 1) setup.call('hang');
    await setup.done();
    expect(configures(setup)).toEqual(['a', 'a', 'a']);
  });

  it('reaches later incarnations, only its last edition', async () => {
    const setup = pooled();
    for (const lm of ['a', 'b']) setup.call('configure', { lm }, { change });
    await setup.done();
    await crash(setup);
    setup.call('echo');
    await setup.done();
    expect(configures(setup)).toEqual(['b']);
  });

  it('comes before the state of a session', async () => {
    const setup = pooled();
    setup.call('create', { id: 'x' }, inSession('s'));
    setup.call('configure', { id: 'lm' }, { change });
    await setup.done();
    await crash(setup);
    setup.call('use', { id: 'x' }, inSession('s'));
    await setup.done();
    expect(written(setup)).toEqual(['configure lm -', 'create x s', 'use x s']);
  });
});

describe('what is not remembered', () => {
  it('is a call that failed', async () => {
    const setup = pooled();
    setup.call('use', { id: 'x' }, { change: { change: 'create', key: 'x' } });
    await setup.done();
    await crash(setup);
    setup.call('echo');
    await setup.done();
    expect(setup.world.callsWritten.map(({ op }) => op)).toEqual(['echo']);
  });

  it('is a creation that was lost with its worker, which may have been executed', async () => {
    const setup = pooled();
    const lost = setup.call('exit', { id: 'x' }, { change: { change: 'create', key: 'x' } });
    const next = setup.call('use', { id: 'x' });
    await setup.done();
    expect([lost, next].map(shown)).toEqual([
      'worker_crashed maybeExecuted',
      'program_not_found maybeExecuted',
    ]);
  });

  it('is what the caller does to its own object after the call', async () => {
    const setup = pooled();
    const args = { id: 'x' };
    setup.call('create', args);
    await setup.done();
    args.id = 'changed';
    await crash(setup);
    setup.call('use', { id: 'x' });
    await setup.done();
    expect(written(setup)).toEqual(['create x -', 'use x -']);
  });
});

describe('a replay', () => {
  const failing = () =>
    pooled(
      {},
      {
        onCall: (process, call) => {
          if (process.pid > 1 && call.op === 'create') process.fail(call.id, 'invalid_signature');
          else remember(process, call);
        },
      },
    );

  it('that fails is reported as such; the call was not sent, and the worker goes on', async () => {
    const setup = failing();
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    const other = setup.call('echo');
    await setup.done();
    expect([shown(use), other.state]).toEqual(['replay_failed notSent', 'resolved']);
    expect(use.error).toMatchObject({ bridge: 'p', cause: { code: 'invalid_signature' } });
  });

  it('that loses its worker leaves the call not sent', async () => {
    const setup = pooled(
      {},
      {
        onCall: (process, call) => {
          if (process.pid === 2 && call.op === 'create') process.exit(9, null);
          else remember(process, call);
        },
      },
    );
    setup.call('create', { id: 'x' });
    await setup.done();
    await crash(setup);
    const use = setup.call('use', { id: 'x' });
    await setup.done();
    expect(shown(use)).toBe('worker_crashed notSent');
  });

  it('that ends when its worker is known to be dead sends no call after it', async () => {
    const setup = pooled(
      {},
      {
        onCall: (process, call) => {
          remember(process, call);
          if (process.pid === 2 && call.op === 'create') process.exit(9, null);
        },
      },
    );
    setup.call('create', { id: 'x' });
    await setup.done();
    await crash(setup);
    const use = setup.call('use', { id: 'x' });
    // The last channel first: the exit is told before the reply that had arrived.
    setup.settle(() => setup.world.pending - 1);
    await setup.done();
    expect([shown(use), setup.world.callsToTheDead]).toEqual(['worker_crashed notSent', []]);
  });

  it('that cannot be written is not taken for done: the next call tries it again', async () => {
    const setup = pooled();
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    const { supervisor } = setup.pool;
    const worker = supervisor!.children()[0] as Worker;
    vi.spyOn(worker, 'send').mockImplementationOnce(() => {
      throw new Error('too large');
    });
    const use = setup.call('use', { id: 'x' }, inSession('s'));
    const again = setup.call('use', { id: 'x' }, inSession('s'));
    await setup.done();
    expect([use, again].map(shown)).toEqual(['replay_failed notSent', 'used x in 2']);
  });

  it('is told of, with its operations', async () => {
    const setup = pooled();
    const told: unknown[] = [];
    setup.bus.on('scope.replayed', (event) => told.push(event));
    setup.call('create', { id: 'x' }, inSession('s'));
    await setup.done();
    await crash(setup);
    setup.call('use', { id: 'x' }, inSession('s'));
    await setup.done();
    expect(told).toEqual([
      { pool: 'p', scope: 'session s', worker: 'p/0', epoch: 2, operations: ['create'] },
    ]);
  });
});
