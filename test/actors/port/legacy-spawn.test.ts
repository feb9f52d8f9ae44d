import { afterEach, describe, expect, it } from 'vitest';
import type { ProcessFact, SpawnedProcess } from '../../../actors/port/launcher.ts';
import { systemSpawner } from '../../../actors/port/spawn.ts';

/** A real process with a wire, whose facts can be waited for. */
class Wired {
  readonly facts: (ProcessFact | { readonly type: 'wire ended' })[] = [];
  readonly process: SpawnedProcess;
  #look: () => void = () => undefined;

  constructor(script: string, command = '/bin/sh') {
    const env = { PATH: process.env['PATH'] ?? '' };
    this.process = systemSpawner.spawn(
      { command, args: ['-c', script], env, stdio: 'wire' },
      (fact) => this.#take(fact),
    );
    this.process.whenWireEnds?.(() => this.#take({ type: 'wire ended' }));
  }

  #take(fact: (typeof this.facts)[number]): void {
    this.facts.push(fact);
    this.#look();
  }

  get stdout(): string {
    const of = (fact: (typeof this.facts)[number]) =>
      fact.type === 'output' && fact.stream === 'stdout' ? [fact.bytes] : [];
    return Buffer.concat(this.facts.flatMap(of)).toString();
  }

  /** Resolves once it holds; the test's own time is the deadline. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (holds()) resolve();
      };
      this.#look();
    });
  }

  told(type: string): Promise<void> {
    return this.until(() => this.facts.some((fact) => fact.type === type));
  }

  write(text: string): void {
    this.process.write?.(Buffer.from(text));
  }
}

const started: Wired[] = [];

function wired(script: string): Wired {
  const made = new Wired(script);
  started.push(made);
  return made;
}

afterEach(() => {
  for (const { process } of started.splice(0)) process.kill('SIGKILL');
});

describe('a real process with a wire', () => {
  it('reads what is written, and its stdout comes back', async () => {
    const echo = wired('exec cat');
    echo.write('one ');
    echo.write('two');
    await echo.until(() => echo.stdout === 'one two');
    expect(echo.facts.some(({ type }) => type === 'wire ended')).toBe(false);
  });

  it('reads the end of its stdin behind what was written, and can end by itself', async () => {
    const echo = wired('cat; exit 3');
    echo.write('all of it');
    echo.process.endInput?.();
    await echo.told('closed');
    expect(echo.stdout).toBe('all of it');
    expect(echo.facts).toContainEqual({ type: 'exited', status: 3, signal: null });
  });

  it('carries megabytes in both directions', async () => {
    const echo = wired('exec cat');
    const text = 'x'.repeat(8 * 2 ** 20);
    echo.write(text);
    echo.process.endInput?.();
    await echo.told('closed');
    expect(echo.stdout.length).toBe(text.length);
  });

  it('that has ended swallows what is written to it', async () => {
    const gone = wired('exit 0');
    await gone.told('closed');
    gone.write('anyone?');
    gone.process.endInput?.();
    expect(gone.facts.filter(({ type }) => type === 'wire ended')).toHaveLength(1);
  });

  it('that ends under a write harms nobody', async () => {
    const deaf = wired('exec sleep 60');
    deaf.write('x'.repeat(8 * 2 ** 20));
    deaf.process.kill('SIGKILL');
    await deaf.told('closed');
    expect(deaf.facts).toContainEqual({ type: 'exited', status: null, signal: 'SIGKILL' });
  });

  it('that closes its stdout and lives has ended its wire', async () => {
    const mute = wired('exec >&-; sleep 60');
    await mute.told('wire ended');
    expect(mute.facts.some(({ type }) => type === 'exited')).toBe(false);
  });

  it('that closes its stdin and lives has ended its wire, once it is written to', async () => {
    const deaf = wired('exec <&-; echo closed; sleep 60');
    await deaf.until(() => deaf.stdout === 'closed\n');
    deaf.write('anyone?');
    await deaf.told('wire ended');
    expect(deaf.facts.some(({ type }) => type === 'exited')).toBe(false);
  });

  it('tells its stderr as output', async () => {
    const loud = wired('echo careful >&2');
    await loud.told('closed');
    expect(loud.stdout).toBe('');
    expect(loud.facts).toContainEqual({
      ...{ type: 'output', stream: 'stderr', bytes: Buffer.from('careful\n') },
    });
  });

  it('that cannot be started fails, and can be written to all the same', async () => {
    const nobody = new Wired('', '/nowhere/python');
    await nobody.told('failed');
    nobody.write('anyone?');
    nobody.process.endInput?.();
    expect(nobody.facts.some(({ type }) => type === 'exited')).toBe(false);
  });
});

describe('a real process without one', () => {
  it('can neither be written to nor has an end of it', () => {
    const plain = systemSpawner.spawn(
      { command: '/bin/sh', args: ['-c', 'exit 0'], env: {} },
      () => undefined,
    );
    expect(Object.keys(plain).sort()).toEqual(['kill', 'notify']);
  });
});
