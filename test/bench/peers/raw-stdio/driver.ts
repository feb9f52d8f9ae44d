// How do people call Python without a library? JSON lines on stdin and stdout, with an id, by hand.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { spawn } from 'node:child_process';

import { endBare } from '../../raw-process.ts';
import type { Peer } from '../peer.ts';

export const RAW_STDIO: Peer = {
  name: 'raw-stdio',
  what: 'hand-written JSON lines on stdin and stdout (a floor: nothing is supervised)',
  must: null,
  aim: null,
  packages: { node: [], python: [] },
  start: async ({ python, folder }) => {
    const args = ['-u', join(folder, 'echo.py')];
    const child = spawn(python, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const asked = new Map<number, (text: string) => void>();
    let lastId = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, text } = JSON.parse(line) as { readonly id: number; readonly text: string };
      asked.get(id)?.(text);
      asked.delete(id);
    });
    return {
      pid: child.pid,
      echo: (text) =>
        new Promise((resolve) => {
          lastId += 1;
          asked.set(lastId, resolve);
          child.stdin.write(`${JSON.stringify({ id: lastId, text })}\n`);
        }),
      stop: () => endBare(child),
    };
  },
};
