// Does a call that fails take the actor that made it, where that does not deal with it, and nobody else? A real process, in which nobody else listens for errors.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const HOST = path.resolve(import.meta.dirname, '../../dist/test/actors/lifecycle/call-host.js');
const DEADLINE_MS = 60_000;

it(
  'a call that fails unheard is the crash of the actor that made it',
  { timeout: DEADLINE_MS },
  async () => {
    // It ends by itself, with status 0, or this rejects.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [HOST], {
      timeout: DEADLINE_MS,
    });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { way: 'timeout', code: 'timeout', deaf: 1 },
      { way: 'noproc', code: 'noproc', deaf: 1 },
      { way: 'calling_self', code: 'calling_self', deaf: 1 },
      { way: 'exit', code: 'exit', deaf: 1 },
      { way: 'aborted', code: 'aborted', deaf: 1 },
      { way: 'timeout, awaited', code: 'timeout', deaf: 1 },
    ]);
    expect(stderr).toBe('');
  },
);
