// Is a configuration found, read and checked, whatever its file is written in, and do its sources win in their order?
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadConfig, type LoadOptions } from '../../src/config-file.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'caduceus-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function write(name: string, ...lines: readonly string[]): void {
  writeFileSync(join(cwd, name), lines.join('\n'));
}

function load(options: LoadOptions = {}): Promise<object> {
  return loadConfig({ cwd, env: {}, ...options });
}

const ADAPTER = "export const words = defineAdapter({ framework: 'words', operations: {} });";

describe('a configuration file', () => {
  it('may be TypeScript, and import more of it', async () => {
    write(
      'words.ts',
      "import { defineAdapter, type Adapter } from 'caduceus';",
      ADAPTER,
      'export type T = Adapter;',
    );
    write(
      'caduceus.config.ts',
      "import { defineConfig, dspy } from 'caduceus';",
      "import { words } from './words.ts';",
      'const size: number = 3;',
      'export default defineConfig({',
      "  bridges: { words: { adapter: words, scriptPath: './words.py', pool: { size } }, dspy: { adapter: dspy() } },",
      '});',
    );
    expect(await load()).toMatchObject({
      bridges: {
        words: {
          adapter: { framework: 'words' },
          scriptPath: join(cwd, 'words.py'),
          pool: { size: 3 },
        },
        dspy: { adapter: { framework: 'dspy' } },
      },
    });
  });

  it.each(['mjs', 'js'])('may be JavaScript, %s', async (extension) => {
    write(
      `caduceus.config.${extension}`,
      "export default { bridges: { words: { scriptPath: 'w.py' } } };",
    );
    expect(await load()).toMatchObject({
      bridges: { words: { adapter: { framework: 'words' }, scriptPath: join(cwd, 'w.py') } },
    });
  });

  it('may be JSON, with adapters by name, by path, or left out', async () => {
    write('words.mjs', "import { defineAdapter } from 'caduceus';", ADAPTER);
    const bridges = {
      first: { adapter: 'dspy' },
      second: { adapter: './words.mjs', scriptPath: 'words.py', python: 'bin/python' },
      third: { scriptPath: '/abs/third.py', python: 'python3' },
      dspy: {},
    };
    write('caduceus.config.json', JSON.stringify({ $schema: 'x', default: 'third', bridges }));
    expect(await load()).toMatchObject({
      default: 'third',
      bridges: {
        first: { adapter: { framework: 'dspy' } },
        second: { adapter: { framework: 'words' }, python: join(cwd, 'bin/python') },
        third: {
          adapter: { framework: 'third', operations: {} },
          scriptPath: '/abs/third.py',
          python: 'python3',
        },
        dspy: { adapter: { framework: 'dspy', pythonModule: 'caduceus.bridges.dspy' } },
      },
    });
  });

  it('is the one that is named, or that CADUCEUS_CONFIG names', async () => {
    write('a.json', '{"bridges":{"a":{"scriptPath":"a.py"}}}');
    write('b.json', '{"bridges":{"b":{"scriptPath":"b.py"}}}');
    const env = { CADUCEUS_CONFIG: 'a.json' };
    expect(await load({ env })).toHaveProperty('bridges.a');
    expect(await load({ env, file: 'b.json' })).not.toHaveProperty('bridges.a');
  });

  it('is read again once it has changed', async () => {
    write('caduceus.config.ts', "export default { bridges: { a: { scriptPath: 'a.py' } } };");
    expect(await load()).toHaveProperty('bridges.a');
    write('caduceus.config.ts', "export default { bridges: { b: { scriptPath: 'b.py' } } };");
    expect(await load()).toHaveProperty('bridges.b');
  });

  it('need not be there', async () => {
    expect(await load()).toEqual({ bridges: {} });
  });
});

describe('what is wrong is told with the file and the field', () => {
  it.each([
    [
      'caduceus.config.json',
      '{"bridges":{"dspy":{"pol":{}}}}',
      'caduceus.config.json: bridges.dspy: pol is no option; did you mean pool?',
    ],
    [
      'caduceus.config.json',
      '{"bridges":{"dspy":{"pool":{"size":0}}}}',
      'caduceus.config.json: bridges.dspy.pool.size',
    ],
    [
      'caduceus.config.json',
      '{"bridges":{"a":{"adapter":"dspi"}}}',
      'bridges.a.adapter: dspi is no adapter that comes with the package; did you mean dspy?',
    ],
    [
      'caduceus.config.json',
      '{"bridges":{"a":{"adapter":"./none.mjs"}}}',
      'none.mjs: cannot be loaded',
    ],
    [
      'caduceus.config.json',
      '{"default":"b","bridges":{"a":{"scriptPath":"a.py"}}}',
      'caduceus.config.json: default: b is no bridge',
    ],
    ['caduceus.config.json', '{"bridges"', 'is no JSON'],
    ['caduceus.config.json', '[]', 'must be an object of options'],
    ['caduceus.config.mjs', 'export const bridges = {};', 'has no default export'],
    ['caduceus.config.ts', 'export default {', 'cannot be loaded'],
    [
      'caduceus.config.mjs',
      "throw new TypeError('of the user');",
      'cannot be loaded: TypeError: of the user',
    ],
  ])('in %s: %s', async (name, text, problem) => {
    write(name, text);
    await expect(load()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(problem) as unknown,
    });
    await expect(load()).rejects.toThrow(name === 'caduceus.config.json' ? /json|mjs/u : name);
  });

  it('when the file that is named is not there', async () => {
    await expect(load({ file: 'no.json' })).rejects.toThrow(
      `there is no file ${join(cwd, 'no.json')}`,
    );
  });

  it('when two files could be meant', async () => {
    write('caduceus.config.json', '{}');
    write('caduceus.config.mjs', 'export default {};');
    await expect(load()).rejects.toThrow('caduceus.config.mjs and caduceus.config.json are both');
  });
});

describe('the sources of a configuration', () => {
  it('win in their order: code, variables, file', async () => {
    const pool = { size: 1, overflow: 1, maxRetries: 1 };
    write(
      'caduceus.config.json',
      JSON.stringify({ bridges: { words: { scriptPath: 'w.py', pool } } }),
    );
    const env = {
      CADUCEUS__BRIDGES__WORDS__POOL__SIZE: '2',
      CADUCEUS__BRIDGES__WORDS__POOL__OVERFLOW: '2',
    };
    const config = { bridges: { words: { pool: { overflow: 3 } } } };
    expect(await load({ env, config })).toMatchObject({
      bridges: { words: { pool: { size: 2, overflow: 3, maxRetries: 1 } } },
    });
  });

  it('may each bring bridges', async () => {
    write('caduceus.config.json', '{"bridges":{"a":{"scriptPath":"a.py"}}}');
    const env = {
      CADUCEUS__BRIDGES__B__SCRIPT_PATH: 'b.py',
      CADUCEUS__BRIDGES__DSPY__POOL__SIZE: '1',
    };
    const config = { bridges: { c: { scriptPath: 'c.py' } } };
    const { bridges } = (await load({ env, config })) as { bridges: object };
    expect(Object.keys(bridges)).toEqual(['a', 'b', 'dspy', 'c']);
  });

  it('are checked together', async () => {
    write('caduceus.config.json', '{"bridges":{"words":{"scriptPath":"w.py","pool":{"size":3}}}}');
    const env = { CADUCEUS__BRIDGES__WORDS__POOL__AUTOSCALE: '{"min":1,"max":2,"queueWaitMs":5}' };
    await expect(load({ env })).rejects.toThrow(
      'caduceus.config.json with the variables CADUCEUS__: bridges.words.pool.size: must be from',
    );
  });
});
