// Does a v1 script outlive its Node? It has no thread that watches, and nothing ties it to its parent: only the guardian and the end of its stdin. Row P14 of the list of faults.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { legacyScript } from '../support/legacy-runtime.ts';
import { isAlive, PYTHON, until } from '../support/real-runtime.ts';

const HOST = path.resolve(
  import.meta.dirname,
  '../../dist/test/integration/legacy-orphans-host.js',
);
/** What is promised: `docs/protocol.md` §8. */
const PROMISE_MS = 1_000;

let folder: string;
let end: () => void = () => undefined;

beforeEach(() => {
  // A Node that is killed leaves its folder: it lies in one of this test's.
  folder = mkdtempSync(path.join(tmpdir(), 'caduceus-test-'));
});
afterEach(() => {
  end();
  rmSync(folder, { recursive: true, force: true });
});

it('a v1 script that is idle, one that computes, and its child end with a Node that is killed', async () => {
  const host = spawn(process.execPath, [HOST, legacyScript('faulty_v1.py'), PYTHON], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids: number[] = [];
  end = () => {
    host.kill('SIGKILL');
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  };
  for await (const line of createInterface({ input: host.stdout })) {
    if (line === 'busy') break;
    pids.push(Number(line));
  }
  expect(new Set(pids).size).toBe(3);
  expect(pids.every(isAlive)).toBe(true);
  host.kill('SIGKILL');
  await until(() => !pids.some(isAlive), PROMISE_MS);
});
