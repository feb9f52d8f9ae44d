// Does a worker that has crashed say what ended it? Scripted processes, and a scripted kernel that counts what it kills.
import { describe, expect, it } from 'vitest';

import type { BusEvents } from '../../../actors/ground/bus.ts';
import { oneWorker } from './one-worker.ts';

/** A worker on a kernel whose count is what `kernel.kills` says. */
function onKernel(script?: Parameters<typeof oneWorker>[0]) {
  const kernel = { kills: 7 };
  const setup = oneWorker({ ...script, host: { countOomKills: () => kernel.kills } });
  const crashes: BusEvents['child.crashed'][] = [];
  setup.bus.on('child.crashed', (event) => crashes.push(event));
  return { ...setup, kernel, crashes };
}

describe('a worker that is killed', () => {
  it('by the kernel for want of memory says so, to the bus, its supervisor and its calls', () => {
    const { kernel, process, send, settle, crashes, facts, outcomes } = onKernel();
    settle();
    send('hang');
    settle();
    kernel.kills += 1;
    process().exit(null, 'SIGKILL');
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'oom_kill', inFlightCalls: 1 }]);
    expect(facts.at(-1)).toMatchObject({
      type: 'child.crashed',
      report: { crashCause: 'oom_kill' },
    });
    expect(outcomes).toMatchObject([{ type: 'crashed', report: { crashCause: 'oom_kill' } }]);
  });

  it('by somebody else does not blame the kernel for what it had killed before', () => {
    const { kernel, process, settle, crashes } = onKernel();
    kernel.kills += 1;
    settle();
    process().exit(null, 'SIGKILL');
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'killed' }]);
  });

  it('by the kernel while it loads says so too', () => {
    const { kernel, world, settle, crashes } = onKernel({ script: { type: 'hangs' } });
    settle();
    kernel.kills += 1;
    world.processes.at(-1)?.exit(null, 'SIGKILL');
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'oom_kill' }]);
  });

  it('where the kernel does not tell was killed', () => {
    const { bus, process, settle } = oneWorker();
    const crashes: BusEvents['child.crashed'][] = [];
    bus.on('child.crashed', (event) => crashes.push(event));
    settle();
    process().exit(null, 'SIGKILL');
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'killed' }]);
  });
});

describe('a worker that ends with status 0', () => {
  it('is a clean exit, which nobody had asked for', () => {
    const { process, settle, crashes } = onKernel();
    settle();
    process().exit(0, null);
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'clean_exit' }]);
  });
});

describe('a worker whose bridge cannot be imported', () => {
  it('is an import error', () => {
    const { settle, crashes } = onKernel({ script: { type: 'import_fails' } });
    settle();
    expect(crashes).toMatchObject([{ crashCause: 'import_error', inFlightCalls: 0 }]);
  });
});
