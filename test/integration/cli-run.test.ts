// Can somebody talk to a running program by hand, and can a script?
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';

import { Repl } from '../../src/cli/repl.ts';
import { systemTerminal, type Terminal } from '../../src/cli/terminal.ts';
import { createRuntime, type Runtime } from '../../src/index.ts';
import { DEADLINE_MS, makeFolder, type Folder } from '../support/cli.ts';
import { until } from '../support/processes.ts';
import { PYTHON } from '../support/real-runtime.ts';

const BRIDGE = [
  'import time',
  'from collections.abc import Iterator',
  'from caduceus import current_call',
  '',
  'def add(a: float, b: float = 1) -> float:',
  '    """Add two numbers."""',
  '    return a + b',
  '',
  'def letters(text: str) -> Iterator[str]:',
  '    yield from text',
  '',
  'def whose() -> str:',
  '    return str(current_call().session_id)',
  '',
  'def nap(seconds: float) -> Iterator[str]:',
  '    yield "asleep"',
  '    time.sleep(seconds)',
  '    yield "awake"',
];

function folderOf(): Folder {
  const folder = makeFolder();
  folder.write('tries.py', ...BRIDGE);
  folder.write(
    'caduceus.config.json',
    '{"bridges":{"tries":{"scriptPath":"tries.py","pool":{"size":1}}}}',
  );
  return folder;
}

/** For an answer to be seen: one call, on a busy machine. */
const SEEN_MS = 15_000;

/** A person at a terminal: what they type, and all that they see. */
class Person {
  readonly keys = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  readonly #screen = Object.assign(new PassThrough(), { isTTY: false, columns: 200 });
  #seen = '';
  #from = 0;
  #interrupt: () => void = () => undefined;

  constructor() {
    this.#screen.on('data', (chunk: Buffer) => {
      // What is written, without how it is placed.
      this.#seen += stripVTControlCharacters(chunk.toString()).replaceAll('\r', '');
    });
  }

  get terminal(): Terminal {
    const onInterrupt: Terminal['onInterrupt'] = (fn) => {
      this.#interrupt = fn;
      return () => undefined;
    };
    const { keys: input } = this;
    return { ...systemTerminal, input, output: this.#screen, errors: this.#screen, onInterrupt };
  }

  /** A signal from outside. */
  interrupt(): void {
    this.#interrupt();
  }

  /** Type, and wait until this is seen which was not seen before. */
  async types(text: string, seen: string): Promise<void> {
    this.#from = this.#seen.length;
    this.keys.write(text);
    await this.sees(seen);
  }

  async sees(text: string): Promise<void> {
    await until(() => this.#seen.includes(text, this.#from), SEEN_MS).catch(() => {
      throw new Error(`${text} was not seen, but:\n${this.#seen.slice(this.#from)}`);
    });
  }
}

async function startRuntime(): Promise<Runtime> {
  const scriptPath = `${folderOf().path}/tries.py`;
  const bridges = { tries: { scriptPath, pool: { size: 1 } } };
  return createRuntime({ python: PYTHON, logger: false, bridges });
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

describe('a person', { timeout: DEADLINE_MS }, () => {
  it('calls operations, completes their names, and ends a call without ending the program', async () => {
    await using runtime = await startRuntime();
    const person = new Person();
    const ended = new Repl(person.terminal, runtime, ['tries']).run(['tries']);
    await person.types('tries.add {"a":1}\n', '2\n> ');
    await person.types('tries.le\t', 'tries.letters');
    await person.types(' {"text":"ab"}\n', 'a\nb\n');
    await person.types('tries.nap {"seconds":60}\n', 'asleep');
    await person.types(CTRL_C, 'aborted');
    await person.types('.session ada\n', 'in session ada');
    await person.types('tries.whose\n', 'ada\n');
    await person.types('.end ada\n', 'session ada has ended');
    await person.types('half a line', 'half a line');
    await person.types(CTRL_C, '> ');
    await person.types('.ops\n', 'tries.add(a, b?)');
    await person.sees('Add two numbers.');
    await person.types('.tree\n', 'ready, epoch');
    await person.types('.stats\n', 'completed');
    await person.types('.bridges\n', 'serving, 1 worker');
    await person.types('.reload tries\n', 'tries has new workers');
    await person.types('tries.ad {"a":1}\n', 'unknown_operation');
    person.keys.write(CTRL_D);
    expect(await ended).toBe(0);
  });

  it('is taken at their word when they interrupt what does not run', async () => {
    await using runtime = await startRuntime();
    const person = new Person();
    const ended = new Repl(person.terminal, runtime, ['tries']).run([]);
    person.keys.write(CTRL_C);
    expect(await ended).toBe(0);
  });
});

describe('an end from outside', { timeout: DEADLINE_MS }, () => {
  it('ends what runs and all that would come after it', async () => {
    await using runtime = await startRuntime();
    const person = new Person();
    const ended = new Repl(person.terminal, runtime, ['tries']).run([]);
    await person.types('tries.nap {"seconds":60}\ntries.add {"a":1}\n', 'asleep');
    person.interrupt();
    expect(await ended).toBe(130);
    expect(runtime.pool('tries').statistics().counters).toMatchObject({ cancelled: 1 });
  });
});

describe('a script', { timeout: DEADLINE_MS }, () => {
  it('has its lines dealt with in their order, and the status says whether all went well', () => {
    const folder = folderOf();
    const lines = [
      '# sums',
      'tries.add {"a":1}',
      '',
      'tries.letters {"text":"xy"}',
      'tries.add 41',
    ];
    const well = folder.caduceus(['run'], lines.join('\n'));
    expect(well).toEqual({ status: 0, stdout: '2\nx\ny\n42\n', stderr: '' });
    const badly = folder.caduceus(
      ['run'],
      'tries.add {"a":"one"}\nnonsense\ntries.add 1\n.exit\ntries.add 2\n',
    );
    expect(badly).toMatchObject({ status: 1, stdout: '2\n' });
    expect(badly.stderr).toContain('invalid_arguments');
    expect(badly.stderr).toContain('nonsense is no <bridge>.<operation>');
  });
});
