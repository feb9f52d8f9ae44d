// Do the READMEs tell the truth? Their code is taken from them and compiled or run; the first example runs in `test/package.test.ts`.
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PYTHON } from '../support/real-runtime.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DEADLINE_MS = 60_000;

const execute = promisify(execFile);

/** Language and text of every block below one heading of a file. */
function blocksOf(file: string, heading: string): readonly (readonly [string, string])[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const [, below] = text.split(new RegExp(`^## ${heading}$`, 'mu'));
  if (below === undefined) throw new Error(`${file} has no heading "${heading}"`);
  const [section = ''] = below.split(/^## /mu);
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gmu)].map(
    ([, language = '', code = '']) => [language, code],
  );
}

function block(file: string, heading: string, language: string): string {
  const [, code] = blocksOf(file, heading).find(([each]) => each === language) ?? [];
  if (code === undefined) throw new Error(`${file} has no ${language} block below "${heading}"`);
  return code;
}

/** The block of the Python side's README that holds this. */
function pythonBlock(text: string): string {
  const blocks = blocksOf('python/README.md', 'A bridge').map(([, code]) => code);
  const found = blocks.filter((code) => code.includes(text));
  if (found[0] === undefined || found.length > 1)
    throw new Error(`${String(found.length)} blocks hold "${text}", not one`);
  return found[0];
}

/** What a strict compiler says of these modules when `caduceus` is the built package. */
function complaints(modules: Readonly<Record<string, string>>): readonly string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const files = new Map(
    Object.entries(modules).map(([name, code]) => [path.join(ROOT, `${name}.mts`), code]),
  );
  host.readFile = (file) => files.get(file) ?? ts.sys.readFile(file);
  host.fileExists = (file) => files.has(file) || ts.sys.fileExists(file);
  const program = ts.createProgram([...files.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the code of the README', () => {
  it('compiles as a user compiles it', { timeout: DEADLINE_MS }, () => {
    // What the reader of this block has by then.
    const had = [
      "import { isCaduceusError, type Runtime } from 'caduceus';",
      'declare const runtime: Runtime, programId: string, question: string, signal: AbortSignal;',
      'declare function retry(): void;',
    ];
    const modules = {
      example: block('README.md', 'Example', 'ts'),
      own: block('README.md', 'Your own bridge', 'ts'),
      frameworks: block('README.md', 'Frameworks', 'ts'),
      pools: block('README.md', 'Pools', 'ts'),
      trees: block('README.md', 'Supervision trees', 'ts'),
      holds: [...had, block('README.md', 'What holds', 'ts')].join('\n'),
    };
    expect(complaints(modules)).toEqual([]);
  });

  it('would not compile if it were wrong', { timeout: DEADLINE_MS }, () => {
    const wrong = "import { createRuntime } from 'caduceus';\nawait createRuntime({ bridge: {} });";
    expect(complaints({ wrong })).toHaveLength(1);
  });
});

describe('a bridge of one’s own', { timeout: DEADLINE_MS }, () => {
  const home = mkdtempSync(path.join(tmpdir(), 'caduceus-readme-'));

  beforeAll(() => {
    mkdirSync(path.join(home, 'node_modules'));
    symlinkSync(ROOT, path.join(home, 'node_modules/caduceus'));
    symlinkSync(path.join(ROOT, 'node_modules/xstate'), path.join(home, 'node_modules/xstate'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  async function run(program: string): Promise<string> {
    writeFileSync(path.join(home, 'main.mjs'), program);
    const ran = await execute(process.execPath, ['main.mjs'], {
      cwd: home,
      env: { ...process.env, CADUCEUS_PYTHON: path.resolve(PYTHON), CADUCEUS_LOG_LEVEL: 'silent' },
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    return ran.stdout.trim();
  }

  it('runs as the README has it', async () => {
    writeFileSync(path.join(home, 'counter.py'), block('README.md', 'Your own bridge', 'python'));
    expect(await run(block('README.md', 'Your own bridge', 'ts'))).toBe('2');
  });

  it('is not needed for a framework, as the README has it', async () => {
    const [answer = '', ...bridges] = (await run(block('README.md', 'Frameworks', 'ts'))).split(
      '\n',
    );
    expect(answer).toContain('391');
    expect(bridges).toEqual(["[ 'langchain', 'dspy', 'transformers', 'sklearn' ]"]);
  });

  it('has a pool as the README has it, and what it was told outlives its Node', async () => {
    writeFileSync(path.join(home, 'counter.py'), block('README.md', 'Your own bridge', 'python'));
    const program = block('README.md', 'Pools', 'ts');
    expect(await run(program)).toBe('2\n2');
    const later = program.replace(/^await counter\.call\('ignore'.*$/mu, '');
    expect(later).not.toBe(program);
    expect(await run(later)).toBe('2\n2');
  });

  it('keeps what it was told when all its workers are killed', async () => {
    writeFileSync(path.join(home, 'counter.py'), block('README.md', 'Your own bridge', 'python'));
    const killed = `
      const again = new Promise((resolve) => runtime.on('child.ready', ({ epoch }) => epoch === 2 && resolve()));
      for (const { id, pid } of runtime.tree().children[0].children.flatMap((child) => [child, ...child.children])) if (pid && id !== "zygote") process.kill(pid, 'SIGKILL');
      await again;
      console.log(await counter.call('count', { text: 'the staff and the snakes' }));
      await runtime.stop();`;
    const program = block('README.md', 'Your own bridge', 'ts');
    expect(await run(program.replace('await runtime.stop();', killed))).toBe('2\n2');
  });

  it('is a child in a tree as the README has it', async () => {
    writeFileSync(path.join(home, 'counter.py'), block('README.md', 'Your own bridge', 'python'));
    const said = await run(block('README.md', 'Supervision trees', 'ts'));
    expect(said).toBe('the cache is empty\nthe cache is empty\n6');
  });

  it('has operations with hints, or is a module, as the README of the Python side has it', async () => {
    writeFileSync(path.join(home, 'words.py'), pythonBlock('class Words'));
    writeFileSync(path.join(home, 'mean.py'), pythonBlock('def predict'));
    const program = `
      import { createRuntime, defineAdapter } from 'caduceus';
      const adapter = defineAdapter({ framework: 'any', operations: {} });
      const bridge = (scriptPath) => ({ adapter, scriptPath, pool: { size: 1 } });
      const runtime = await createRuntime({ bridges: { words: bridge('words.py'), mean: bridge('mean.py') } });
      const words = runtime.pool('words');
      console.log(await words.call('count', { text: 'a b c', ignore: ['a'] }));
      console.log((await words.call('grow', { id: 'x', words: ['a'] })).length);
      for await (const word of words.stream('each', { text: 'd e' })) console.log(word);
      await words.call('count', { txt: 'a' }).catch(({ code }) => console.log(code));
      console.log(await runtime.pool('mean').call('predict', { rows: [1, 2, 3] }));
      await runtime.stop();`;
    expect((await run(program)).split('\n')).toEqual([
      ...['2', '1', 'd', 'e', 'invalid_arguments', '2'],
    ]);
  });

  it('runs as the README of the Python side has it', async () => {
    writeFileSync(path.join(home, 'greeter.py'), pythonBlock('class Greeter'));
    const program = `
      import { createRuntime, defineAdapter } from 'caduceus';
      const adapter = defineAdapter({ framework: 'greeter', operations: { greet: {} } });
      const runtime = await createRuntime({ bridges: { greeter: { adapter, scriptPath: 'greeter.py', pool: { size: 1 } } } });
      const greeter = runtime.pool('greeter');
      console.log((await greeter.call('greet', { name: 'Ada' }, { sessionId: 'alice' })).text);
      console.log((await greeter.call('greet', { name: 'Ada' }, { sessionId: 'alice' })).text);
      console.log((await greeter.call('greet', { name: 'Ada' }, { sessionId: 'bob' })).text);
      await greeter.call('greet').catch(({ code }) => console.log(code));
      await runtime.stop();`;
    expect(await run(program)).toBe(
      ['Hello, Ada', 'Hello again, Ada', 'Hello, Ada', 'invalid_arguments'].join('\n'),
    );
  });
});
