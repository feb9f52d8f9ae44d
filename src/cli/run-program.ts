// How does a command run another program to its end? With a deadline, its last words kept, and none of it left when the user has had enough.
import { LIMITS } from '../../actors/ground/limits.ts';
import { systemSpawner } from '../../actors/port/spawn.ts';
import type { Program } from './doctor-install.ts';
import type { Terminal } from './terminal.ts';

/** How it ended. */
export type ProgramEnd =
  { readonly type: 'done' } | { readonly type: 'failed' | 'interrupted'; readonly why: string };

/** A Python that was set up for something else must not leak its modules into another one. */
const NOT_INHERITED = new Set(['PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV']);

/** Run it in its own process group, which is killed when it takes too long or the user interrupts. */
export function runProgram(terminal: Terminal, program: Program): Promise<ProgramEnd> {
  const { clock } = terminal;
  const { command, args } = program;
  const said = new Tail();
  return new Promise((resolve) => {
    let verdict: Exclude<ProgramEnd, { type: 'done' }> | undefined;
    let status: number | null = null;
    const settle = (end: ProgramEnd): void => {
      clock.clearTimeout(timer);
      stopListening();
      resolve(verdict ?? end);
    };
    const child = systemSpawner.spawn({ command, args, env: envOf(program) }, (fact) => {
      if (fact.type === 'output') said.add(fact.bytes);
      if (fact.type === 'failed') settle({ type: 'failed', why: fact.error.message });
      if (fact.type === 'exited') ({ status } = fact);
      if (fact.type === 'closed')
        settle(status === 0 ? { type: 'done' } : { type: 'failed', why: said.text });
    });
    const end = (found: typeof verdict): void => {
      verdict = found;
      child.kill('SIGKILL');
    };
    const { installTimeoutMs } = LIMITS;
    const timer = clock.setTimeout(
      () => end({ type: 'failed', why: `${command} was not done within ${installTimeoutMs} ms` }),
      installTimeoutMs,
    );
    const stopListening = terminal.onInterrupt(() =>
      end({ type: 'interrupted', why: 'interrupted' }),
    );
  });
}

function envOf({ env }: Program): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || NOT_INHERITED.has(name) ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(own), ...env };
}

/** Of what a failing installer says, enough to hold the reason. */
const TAIL_CHARACTERS = 2_000;

class Tail {
  #text = '';

  add(bytes: Buffer): void {
    this.#text = (this.#text + bytes.toString('utf8')).slice(-TAIL_CHARACTERS);
  }

  get text(): string {
    return this.#text.trim();
  }
}
