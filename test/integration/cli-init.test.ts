// Does one command make a bridge that runs at once, and leave alone what is there?
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { cliEnv, DEADLINE_MS, makeFolder, ROOT, type Folder } from '../support/cli.ts';

const HELLO = ['call', 'my-words.hello', '{"who":"Ada"}'];

function files(folder: Folder): readonly string[] {
  return readdirSync(folder.path)
    .filter((name) => name !== '__pycache__')
    .sort();
}

describe('caduceus init', { timeout: DEADLINE_MS }, () => {
  it('makes a bridge that can be called, and a test that passes', () => {
    const folder = makeFolder();
    const made = folder.caduceus(['init', 'my-words']);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(made.stdout).toContain(
      `It runs: npx caduceus ${HELLO.slice(0, 2).join(' ')} '${HELLO[2] ?? ''}'`,
    );
    expect(files(folder)).toEqual([
      'caduceus.config.mjs',
      'my-words-adapter.mjs',
      'my-words.test.mjs',
      'my_words_bridge.py',
    ]);
    expect(folder.caduceus(HELLO)).toEqual({ status: 0, stdout: 'Hello, Ada!\n', stderr: '' });

    // As after `npm install caduceus`.
    mkdirSync(path.join(folder.path, 'node_modules'));
    symlinkSync(ROOT, path.join(folder.path, 'node_modules/caduceus'));
    const ran = spawnSync(process.execPath, ['--test', '--test-reporter=tap'], {
      ...{ cwd: folder.path, env: cliEnv(), encoding: 'utf8', timeout: DEADLINE_MS },
    });
    expect(ran.stdout).toContain('# pass 2');
    expect(ran.stdout).toContain('# fail 0');
  });

  it('makes it in TypeScript where the project has that, and as a table of handlers when asked to', () => {
    const folder = makeFolder();
    folder.write('tsconfig.json', '{}');
    expect(folder.caduceus(['init', 'my-words', '--template', 'table'])).toMatchObject({
      status: 0,
    });
    expect(files(folder)).toContain('caduceus.config.ts');
    expect(folder.read('my-words-adapter.ts')).toContain('who: string');
    expect(folder.read('my_words_bridge.py')).toContain('self._handlers');
    expect(folder.caduceus(HELLO)).toMatchObject({ status: 0, stdout: 'Hello, Ada!\n' });
  });

  it.each([
    [
      'caduceus.config.ts',
      "import { defineConfig } from 'caduceus';\n\nexport default defineConfig({\n  // bridges: { none }\n  bridges: {\n    old: { scriptPath: './old.py' },\n  },\n});\n",
    ],
    ['caduceus.config.mjs', "export default { bridges: { old: { scriptPath: './old.py' } } };\n"],
    [
      'caduceus.config.json',
      '{\n    "bridges": {\n        "old": { "scriptPath": "./old.py" }\n    }\n}\n',
    ],
  ])('adds to %s and keeps what that says', (name, text) => {
    const folder = makeFolder();
    folder.write(name, text);
    expect(folder.caduceus(['init', 'my-words'])).toMatchObject({ status: 0, stderr: '' });
    expect(folder.read(name)).toContain('./old.py');
    const { bridges } = JSON.parse(folder.caduceus(['list', '--json']).stdout) as {
      bridges: { name: string; from: string | null; operations: string[] }[];
    };
    const own = bridges.filter(({ from }) => from === name);
    expect(own.map((bridge) => bridge.name).sort()).toEqual(['my-words', 'old']);
    expect(own.find((bridge) => bridge.name === 'my-words')?.operations).toEqual([
      'hello',
      'spell',
    ]);
    expect(files(folder).filter((each) => each.startsWith('caduceus'))).toEqual([name]);
  });

  it('says what to add to a configuration that it cannot change, and leaves it as it is', () => {
    const folder = makeFolder();
    const text = 'const all = {};\nexport default { bridges: all };\n';
    folder.write('caduceus.config.mjs', text);
    const { status, stderr } = folder.caduceus(['init', 'my-words']);
    expect(status).toBe(1);
    expect(stderr).toContain('caduceus.config.mjs was left as it is');
    expect(stderr).toContain("import { myWordsAdapter } from './my-words-adapter.mjs';");
    expect(stderr).toContain(
      "'my-words': { adapter: myWordsAdapter, scriptPath: './my_words_bridge.py' },",
    );
    expect(folder.read('caduceus.config.mjs')).toBe(text);
  });

  it.each([
    [
      'a file is there already',
      ['init', 'my-words'],
      'my_words_bridge.py',
      2,
      'my_words_bridge.py is there already',
    ],
    [
      'the bridge is configured already',
      ['init', 'old'],
      'caduceus.config.json',
      1,
      'bridges.old: is in caduceus.config.json already',
    ],
    [
      'the name is that of a built-in bridge',
      ['init', 'dspy'],
      'other.txt',
      2,
      'dspy comes with the package',
    ],
    ['no bridge can be called so', ['init', '1st'], 'other.txt', 2, '1st is no bridge name'],
    [
      'there is no such template',
      ['init', 'my-words', '-t', 'round'],
      'other.txt',
      2,
      'round is no template; there are operations, table',
    ],
  ])('writes nothing when %s', (_, args, name, status, problem) => {
    const folder = makeFolder();
    folder.write(name, '{"bridges":{"old":{"scriptPath":"./old.py"}}}');
    const refused = folder.caduceus(args);
    expect(refused).toMatchObject({ status, stdout: '' });
    expect(refused.stderr).toContain(problem);
    expect(files(folder)).toEqual([name]);
  });
});
