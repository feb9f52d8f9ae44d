// Are bridges listed, looked at, added, taken away, and started when they are first called? On real processes.
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { createRuntime, defineAdapter, python, type Runtime } from '../../src/index.ts';
import type { ActorRef } from '../../src/otp.ts';
import {
  echoAdapter,
  fixture,
  isAlive,
  nextEvent,
  PYTHON,
  rejection,
  workersOf,
} from '../support/real-runtime.ts';

const echo = { adapter: echoAdapter, scriptPath: fixture('echo_bridge.py'), pool: { size: 1 } };
const started: Runtime[] = [];

async function runtimeWith(config: Parameters<typeof createRuntime>[0]): Promise<Runtime> {
  const runtime = await createRuntime({ python: PYTHON, logger: false, ...config });
  started.push(runtime);
  return runtime;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((runtime) => runtime.stop()));
});

describe('the registry', () => {
  it('lists what is configured, and the built-in bridges behind it', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    expect(registry.listBridges()).toEqual([
      'echo',
      'dspy',
      'langchain',
      'transformers',
      'sklearn',
    ]);
    expect(registry.info('echo')).toMatchObject({ state: 'serving', isBuiltIn: false });
    expect(registry.info('dspy')).toMatchObject({ state: 'unstarted', isBuiltIn: true });
  });

  it('has a bridge that is configured under the name of a built-in one in its place', async () => {
    const { registry } = await runtimeWith({ bridges: { dspy: echo } });
    expect(registry.listBridges().filter((name) => name === 'dspy')).toEqual(['dspy']);
    expect(registry.info('dspy')).toMatchObject({ framework: 'echo', isBuiltIn: false });
  });

  it('says not_found of a bridge that nobody registered, with the one that was meant', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    expect(() => registry.getAdapter('ecko')).toThrow(/echo/u);
    expect(() => registry.info('ecko')).toThrow(
      expect.objectContaining({ code: 'not_found' }) as Error,
    );
    expect(await registry.validateBridge('ecko')).toMatchObject({
      ok: false,
      problems: [{ code: 'not_found' }],
    });
  });

  it('looks at a bridge without starting it', async () => {
    const { registry } = await runtimeWith({
      bridges: {
        echo,
        gone: { adapter: echoAdapter, scriptPath: './gone.py', startup: 'lazy' },
        wants: { ...echo, requiredPackages: ['caduceus-no-such-package'], startup: 'lazy' },
      },
    });
    expect(await registry.validateBridge('echo')).toMatchObject({ ok: true, problems: [] });
    const gone = await registry.validateBridge('gone');
    const wants = await registry.validateBridge('wants');
    expect(gone.problems.map(({ code }) => code)).toEqual(['script_not_found']);
    expect(wants.problems.map(({ code }) => code)).toEqual(['package_missing']);
    expect(registry.info('wants').state).toBe('unstarted');
  });

  it('adds a bridge that is usable once it is registered, and takes it away with its workers', async () => {
    const runtime = await runtimeWith({ bridges: { echo } });
    await runtime.registry.register('second', echo);
    expect(await runtime.pool('second').call('echo', { a: 1 })).toEqual({ a: 1 });
    const pids = workersOf(runtime)
      .filter(({ path }) => path.startsWith('second/'))
      .map(({ pid }) => pid);
    expect(pids).toHaveLength(1);
    await runtime.registry.unregister('second');
    expect(runtime.registry.listBridges()).not.toContain('second');
    expect(() => runtime.pool('second')).toThrow(/second/u);
    for (const pid of pids) expect(isAlive(pid ?? 0)).toBe(false);
    expect(runtime.tree().children.map(({ id }) => id)).toEqual(['echo', 'registry']);
  });

  it('makes changes in the order in which they were asked for', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    const late = { ...echo, startup: 'lazy' } as const;
    const made = [
      registry.register('a', late),
      rejection(registry.register('a', late)),
      registry.unregister('a'),
      registry.register('a', late),
    ];
    const [, refused] = await Promise.all(made);
    expect(refused).toMatchObject({ code: 'already_registered', bridgeName: 'a' });
    expect(registry.listBridges()).toContain('a');
  });

  it('does not have a bridge whose workers cannot start, nor anything of it', async () => {
    const runtime = await runtimeWith({ bridges: { echo } });
    const broken = { ...echo, scriptPath: fixture('import_raises.py') };
    const error = await rejection(runtime.registry.register('broken', broken));
    expect(error).toMatchObject({ code: 'pool_failed' });
    expect(runtime.registry.listBridges()).not.toContain('broken');
    expect(runtime.tree().children.map(({ id }) => id)).toEqual(['echo', 'registry']);
    await runtime.registry.register('broken', echo);
    expect(await runtime.pool('broken').call('echo', { b: 2 })).toEqual({ b: 2 });
  });

  it('refuses what is no configuration of a bridge, naming the field', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    const error = await rejection(registry.register('x', { ...echo, pool: { size: 0 } }));
    expect(error).toMatchObject({ code: 'invalid_config', field: 'bridges.x.pool.size' });
    expect(await rejection(registry.unregister('x'))).toMatchObject({ code: 'not_found' });
  });

  it('has its bridges no more once they are taken away, whoever still has a handle', async () => {
    const runtime = await runtimeWith({ bridges: { echo } });
    const handle = runtime.pool('echo');
    await runtime.registry.unregister('echo');
    expect(await rejection(handle.start())).toMatchObject({ code: 'pool_stopped' });
    expect(await rejection(handle.call('echo'))).toMatchObject({
      code: 'pool_stopped',
      state: 'unregistered',
    });
    expect(runtime.tree().children.map(({ id }) => id)).toEqual(['registry']);
  });

  it('refuses a name that no bridge may have, and that of the registry itself', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    for (const name of ['__proto__', 'a b', '', 'registry']) {
      const error = await rejection(registry.register(name, echo));
      expect(error).toMatchObject({ code: 'invalid_config', field: `bridges.${name}` });
    }
    await registry.register('constructor', echo);
    expect(await registry.getAdapter('constructor').executeOperation('echo', { a: 1 })).toEqual({
      a: 1,
    });
  });

  it('refuses a time to drain that is none', async () => {
    const { registry } = await runtimeWith({ bridges: { echo } });
    const error = await rejection(registry.unregister('echo', { drainMs: Number.NaN }));
    expect(error).toMatchObject({ code: 'invalid_config', field: 'options.drainMs' });
    expect(registry.listBridges()).toContain('echo');
  });

  it('says runtime_stopped when it is asked after the end', async () => {
    const runtime = await runtimeWith({ bridges: { echo } });
    await runtime.stop();
    const error = await rejection(runtime.registry.validateBridge('echo'));
    expect(error).toMatchObject({ code: 'runtime_stopped' });
  });

  it('is started again when it crashes, and no pool notices', async () => {
    const runtime = await runtimeWith({ bridges: { echo } });
    const before = workersOf(runtime).map(({ pid }) => pid);
    const again = nextEvent(runtime, 'child.ready', ({ path }) => path === 'registry');
    const { registry } = runtime;
    const children = await runtime.supervisor.whichChildren();
    const child = children.find(({ id }) => id === 'registry');
    expect(child).toBeDefined();
    // Its action throws: that is a crash.
    (child?.child as ActorRef).send({ type: 'change', change: null });
    expect((await again).epoch).toBe(2);
    expect(registry.listBridges()).toContain('echo');
    expect(await registry.validateBridge('echo')).toMatchObject({ ok: true });
    expect(workersOf(runtime).map(({ pid }) => pid)).toEqual(before);
  });
});

describe('a bridge that starts when it is first called', () => {
  it('has no process before, and answers that call', async () => {
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, startup: 'lazy' } } });
    expect(workersOf(runtime)).toEqual([]);
    expect(runtime.pool('echo').statistics()).toMatchObject({ state: 'unstarted' });
    const calls = [1, 2, 3].map((a) => runtime.pool('echo').call('echo', { a }));
    expect(await Promise.all(calls)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
    expect(workersOf(runtime)).toHaveLength(1);
    expect(runtime.pool('echo').statistics().counters).toMatchObject({ accepted: 3, completed: 3 });
  });

  it('tells each call why it cannot start', async () => {
    const lazy = { ...echo, startup: 'lazy', python: '/nowhere/python' } as const;
    const runtime = await runtimeWith({ bridges: { echo, lazy } });
    const error = await rejection(runtime.pool('lazy').call('echo', {}));
    expect(error).toMatchObject({ code: 'pool_failed', cause: { code: 'python_not_found' } });
    expect(await runtime.pool('echo').call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('may be stopped before, and started then', async () => {
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, startup: 'lazy' } } });
    await runtime.pool('echo').stop();
    expect(await rejection(runtime.pool('echo').call('echo'))).toMatchObject({
      code: 'pool_stopped',
    });
    await runtime.pool('echo').start();
    expect(await runtime.pool('echo').call('echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('may be stopped and started again while its interpreter is looked for', async () => {
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, startup: 'lazy' } } });
    const handle = runtime.pool('echo');
    const refused = rejection(handle.call('echo'));
    await Promise.all([handle.stop(), handle.start()]);
    expect(await refused).toMatchObject({ code: 'pool_stopped' });
    expect(await handle.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(workersOf(runtime)).toHaveLength(1);
  });

  it('is the same when the runtime ends while it starts', async () => {
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, startup: 'lazy' } } });
    const refused = rejection(runtime.pool('echo').call('echo'));
    await runtime.stop();
    expect(await refused).toMatchObject({ code: 'runtime_stopped' });
  });
});

describe('an adapter that is bound', () => {
  const adapter = defineAdapter({
    framework: 'echo',
    operations: {
      echo: { args: z.strictObject({ a: z.number() }), result: z.object({ a: z.number() }) },
      recall: {},
      raw_echo: { args: z.strictObject({ value: z.string().optional() }) },
    },
    transformRequest: (op, args) => (op === 'raw_echo' ? { a: args['value'] ?? 'nothing' } : args),
    methods: (self) => ({ doTwice: async (a: number) => (await self.echo({ a })).a * 2 }),
  });

  it('has a method for each operation, and its own', async () => {
    const runtime = await createRuntime({
      python: PYTHON,
      logger: false,
      bridges: { mine: { ...echo, adapter } },
    });
    started.push(runtime);
    const mine = runtime.registry.getAdapter('mine');
    expect(mine.supportedOperations()).toEqual(['echo', 'recall', 'raw_echo']);
    expect(mine).toMatchObject({ frameworkName: 'echo', bridge: 'mine' });
    expect(await mine.doTwice(21)).toBe(42);
    expect(await mine.executeOperation('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await runtime.ml.executeOperation('echo', { a: 2 }, { bridge: 'mine' })).toEqual({
      a: 2,
    });
    const why = { code: 'invalid_arguments', field: 'a', outcome: 'notSent', bridge: 'mine' };
    expect(await rejection(mine.echo({ a: 'one' as never }))).toMatchObject(why);
    expect(runtime.pool('mine').statistics().counters.accepted).toBe(3);
  });

  it('may be awaited, whatever its operations are called', async () => {
    const tricky = defineAdapter({ framework: 'echo', operations: { then: {}, echo: {} } });
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, adapter: tricky } } });
    const bound = await Promise.resolve(runtime.registry.getAdapter('echo'));
    expect(bound.supportedOperations()).toEqual(['then', 'echo']);
    expect(await bound.executeOperation('echo', { a: 1 })).toEqual({ a: 1 });
    for (const op of ['constructor', '__proto__', 'toString']) {
      const error = await rejection(bound.executeOperation(op));
      expect(error).toMatchObject({ code: 'unknown_operation', outcome: 'notSent' });
    }
    expect(runtime.pool('echo').statistics().counters.accepted).toBe(1);
  });

  it('refuses an answer that is not what it says', async () => {
    const liar = defineAdapter({
      framework: 'echo',
      operations: { echo: { result: z.object({ b: z.number() }) } },
    });
    const runtime = await runtimeWith({ bridges: { echo: { ...echo, adapter: liar } } });
    const error = await rejection(runtime.pool('echo').call('echo', { a: 1 }));
    expect(error).toMatchObject({ code: 'invalid_result', field: 'b', outcome: 'maybeExecuted' });
  });
});

describe('a Python file by itself', () => {
  it('is called by the names of its functions', async () => {
    const model = await python(fixture('plain_model.py'), { python: PYTHON, logger: false });
    started.push(model.runtime);
    expect(await model.call('predict', [1, 2, 3])).toMatchObject({ sum: 6 });
    expect(await model.call('scale', { features: [1, 2], by: 3 })).toEqual([3, 6]);
    const items: unknown[] = [];
    for await (const item of model.stream('count', { to: 3 })) items.push(item);
    expect(items).toEqual([0, 1, 2]);
    expect(await rejection(model.call('scale', { features: 'no' }))).toMatchObject({
      code: 'invalid_arguments',
      outcome: 'notSent',
      bridge: 'plain_model',
    });
    await model.close();
    expect(workersOf(model.runtime)).toEqual([]);
  });
});
