// Is the guide to the command line true? What stands there after a `$` is run, and prints what is below it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/index.ts';
import { cliEnv, DEADLINE_MS, makeFolder, PROGRAM, ROOT } from '../support/cli.ts';

const GUIDE = readFileSync(path.join(ROOT, 'docs/guide/cli.md'), 'utf8');

function blocks(language: string): readonly string[] {
  const fences = GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\`$`, 'gmu'));
  return [...fences].map(([, body = '']) => body);
}

/** What is typed, and what is then to be seen. */
function steps(): readonly (readonly [command: string, seen: string])[] {
  return blocks('console').flatMap((block) =>
    block
      .split(/^\$ /mu)
      .filter((step) => step !== '')
      .map((step) => {
        const [command = '', ...seen] = step.trimEnd().split('\n');
        return [command, seen.join('\n')] as const;
      }),
  );
}

describe('the guide to the command line', () => {
  it('shows what the commands print', { timeout: 3 * DEADLINE_MS }, () => {
    const folder = makeFolder();
    const program = `"${process.execPath}" "${PROGRAM}"`;
    const seen = steps().map(([command]) => {
      const line = command.replaceAll('npx caduceus', program);
      const ran = spawnSync('sh', ['-c', `${line} 2>&1`], {
        ...{ cwd: folder.path, env: cliEnv(), encoding: 'utf8', timeout: DEADLINE_MS },
      });
      // The package is not installed in this folder, which `init` says.
      const text = ran.stdout.replace(/^Its test and your program want the package.*\n/mu, '');
      return [command, text.trimEnd()];
    });
    expect(steps().length).toBeGreaterThanOrEqual(12);
    expect(seen).toEqual(steps());
  });

  it('shows a configuration that can be read', async () => {
    const folder = makeFolder();
    const [json = ''] = blocks('json');
    folder.write('caduceus.config.json', json);
    folder.write(
      'words-adapter.mjs',
      "export default { framework: 'words', operations: { hello: {} } };",
    );
    expect(await loadConfig({ cwd: folder.path, env: {} })).toMatchObject({
      default: 'words',
      bridges: {
        dspy: { adapter: { framework: 'dspy' } },
        words: { adapter: { framework: 'words' } },
        plain: { adapter: { framework: 'plain' } },
      },
    });
  });

  it('names every command that there is', () => {
    const { stdout } = spawnSync(process.execPath, [PROGRAM, '--help'], { encoding: 'utf8' });
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gmu)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThanOrEqual(8);
    const told = new Set([...GUIDE.matchAll(/^\| `([a-z]+)/gmu)].map(([, name]) => name));
    expect(commands.filter((name) => !told.has(name) && name !== 'help')).toEqual([]);
  });
});
