import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProcessFact, SpawnedProcess } from '../../../actors/port/launcher.ts';
import { systemSpawner } from '../../../actors/port/spawn.ts';

/** A real process whose facts can be waited for. */
class Watched {
  readonly facts: ProcessFact[] = [];
  readonly process: SpawnedProcess;
  #look: (() => void) | undefined;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    const request = { command, args, env: { PATH: process.env['PATH'] ?? '', ...env } };
    this.process = systemSpawner.spawn(request, (fact) => {
      this.facts.push(fact);
      this.#look?.();
    });
  }

  get output(): string {
    const outputs = this.facts.flatMap((fact) => (fact.type === 'output' ? [fact.bytes] : []));
    return Buffer.concat(outputs).toString();
  }

  async until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = find();
        if (found !== undefined) resolve(found);
      };
      this.#look();
    });
  }

  async fact<Type extends ProcessFact['type']>(
    type: Type,
  ): Promise<Extract<ProcessFact, { type: Type }>> {
    const of = (fact: ProcessFact) => fact.type === type;
    return this.until(
      () => this.facts.find(of) as Extract<ProcessFact, { type: Type }> | undefined,
    );
  }

  async line(): Promise<string> {
    return this.until(() => (this.output.includes('\n') ? this.output.trim() : undefined));
  }
}

const started: Watched[] = [];

function sh(script: string, env?: Record<string, string>): Watched {
  const watched = new Watched('/bin/sh', ['-c', script], env);
  started.push(watched);
  return watched;
}

afterEach(() => {
  for (const watched of started.splice(0)) watched.process.kill('SIGKILL');
});

/** Alive and not a zombie, which only waits to be reaped by whoever inherited it. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX]/u.test(readFileSync(stat, 'utf8'));
}

describe('a real process', () => {
  it('tells its pid when it has been spawned', async () => {
    const watched = sh('echo $$');
    const { pid } = await watched.fact('spawned');
    expect(await watched.line()).toBe(String(pid));
  });

  it('tells its exit status', async () => {
    const { status, signal } = await sh('exit 7').fact('exited');
    expect({ status, signal }).toEqual({ status: 7, signal: null });
  });

  it('tells the signal that ended it', async () => {
    const { status, signal } = await sh('kill -SEGV $$').fact('exited');
    expect({ status, signal }).toEqual({ status: null, signal: 'SIGSEGV' });
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends when it is sent %s', async (wanted) => {
    const watched = sh('echo up; exec sleep 60');
    await watched.line();
    watched.process.kill(wanted);
    expect(await watched.fact('exited')).toMatchObject({ signal: wanted });
  });

  it('tells no fact from inside spawn', () => {
    expect(sh('exit 0').facts).toEqual([]);
  });

  it('tells that it failed, and nothing else, when the command does not exist', async () => {
    const watched = new Watched('/nowhere/python', []);
    const { error } = await watched.fact('failed');
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(watched.facts).toHaveLength(1);
  });

  it('can be killed although it never was', async () => {
    const watched = new Watched('/nowhere/python', []);
    await watched.fact('failed');
    expect(() => watched.process.kill('SIGKILL')).not.toThrow();
  });

  it('can be killed although it has exited', async () => {
    const watched = sh('exit 0');
    await watched.fact('exited');
    expect(() => watched.process.kill('SIGKILL')).not.toThrow();
  });

  it('tells what it writes, and to which stream', async () => {
    const watched = sh('echo out; echo err >&2');
    const streams = await watched.until(() => {
      const seen = watched.facts.flatMap((fact) =>
        fact.type === 'output' ? [`${fact.stream} ${fact.bytes.toString().trim()}`] : [],
      );
      return seen.length === 2 ? seen : undefined;
    });
    expect(streams.sort()).toEqual(['stderr err', 'stdout out']);
  });

  it('reads nothing from stdin', async () => {
    expect(await sh('if read line; then echo input; else echo nothing; fi').line()).toBe('nothing');
  });

  it('sees exactly the environment that it is given', async () => {
    const watched = sh('env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort', {
      GIVEN: '1',
    });
    await watched.fact('exited');
    const env = await watched.until(() =>
      watched.output.includes('PATH') ? watched.output : undefined,
    );
    expect(env.trim().split('\n')).toEqual(['GIVEN=1', `PATH=${process.env['PATH'] ?? ''}`]);
  });
});

describe('the group of a real process', () => {
  it('is its own, and so is its session', async () => {
    const watched = sh('cut -d" " -f1,5,6 /proc/$$/stat');
    const { pid } = await watched.fact('spawned');
    expect(await watched.line()).toBe(`${pid} ${pid} ${pid}`);
  });

  it('is killed as a whole: a grandchild that ignores SIGTERM too', async () => {
    const watched = sh(`sh -c 'trap "" TERM; echo $$; sleep 60' & wait`);
    const grandchild = Number(await watched.line());
    watched.process.kill('SIGKILL');
    await watched.fact('exited');
    await vanished(grandchild);
    expect(isAlive(grandchild)).toBe(false);
  });

  it('is killed when its leader exits: a grandchild does not outlive it', async () => {
    const watched = sh('sleep 60 & echo $!');
    const grandchild = Number(await watched.line());
    await watched.fact('exited');
    await vanished(grandchild);
    expect(isAlive(grandchild)).toBe(false);
  });
});

/** A signal takes its time: wait turn by turn, within the time of the test. */
async function vanished(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}
