import { describe, expect, it } from 'vitest';
import { Bus } from '../../../actors/ground/bus.ts';

const STARTING = { path: 'p/0', epoch: 1 };

describe('the bus', () => {
  it('delivers an event to the listeners of its name, with its name', () => {
    const bus = new Bus();
    const heard: unknown[] = [];
    bus.on('child.starting', (event, name) => heard.push([name, event]));
    bus.emit('child.starting', STARTING);
    expect(heard).toEqual([['child.starting', STARTING]]);
  });

  it('delivers nothing to listeners of other names', () => {
    const bus = new Bus();
    const heard: unknown[] = [];
    bus.on('child.launched', (event) => heard.push(event));
    bus.emit('child.starting', STARTING);
    expect(heard).toEqual([]);
  });

  it('delivers every event to listeners of *', () => {
    const bus = new Bus();
    const heard: string[] = [];
    bus.on('*', (_event, name) => heard.push(name));
    bus.emit('child.starting', STARTING);
    bus.emit('child.launched', { ...STARTING, pid: 7 });
    expect(heard).toEqual(['child.starting', 'child.launched']);
  });

  it('delivers nothing more once the watch is ended', () => {
    const bus = new Bus();
    const heard: unknown[] = [];
    const end = bus.on('child.starting', (event) => heard.push(event));
    end();
    bus.emit('child.starting', STARTING);
    expect(heard).toEqual([]);
  });
});

describe('a listener that throws', () => {
  const hostile = () => {
    throw new Error('hostile');
  };

  it('never reaches the emitter', () => {
    const bus = new Bus();
    bus.on('child.starting', hostile);
    expect(() => bus.emit('child.starting', STARTING)).not.toThrow();
  });

  it('is detached', () => {
    const bus = new Bus();
    let calls = 0;
    bus.on('child.starting', () => {
      calls += 1;
      throw new Error('hostile');
    });
    bus.emit('child.starting', STARTING);
    bus.emit('child.starting', STARTING);
    expect(calls).toBe(1);
  });

  it('is told of, with the event and the error', () => {
    const bus = new Bus();
    const detached: unknown[] = [];
    bus.on('bus.subscriber_detached', (event) => detached.push(event));
    bus.on('child.starting', hostile);
    bus.emit('child.starting', STARTING);
    expect(detached).toEqual([{ event: 'child.starting', error: new Error('hostile') }]);
  });

  it('keeps nothing from the listeners after it', () => {
    const bus = new Bus();
    const heard: unknown[] = [];
    bus.on('child.starting', hostile);
    bus.on('child.starting', (event) => heard.push(event));
    bus.emit('child.starting', STARTING);
    expect(heard).toEqual([STARTING]);
  });

  it('is detached also when it watches everything and throws at the news of its own detachment', () => {
    const bus = new Bus();
    bus.on('*', hostile);
    bus.on('bus.subscriber_detached', hostile);
    expect(() => bus.emit('child.starting', STARTING)).not.toThrow();
  });
});
