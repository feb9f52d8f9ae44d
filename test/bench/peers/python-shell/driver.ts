// How is Python called with python-shell? JSON lines on stdin and stdout; it has no ids, so answers are taken in order.
import { join } from 'node:path';

import type { Peer } from '../peer.ts';

interface PythonShell {
  readonly childProcess: { readonly pid?: number };
  readonly on: (event: 'message', listener: (message: { readonly text: string }) => void) => void;
  readonly once: (event: 'close', listener: () => void) => void;
  readonly send: (message: object) => void;
  readonly end: (callback: () => void) => void;
}

interface Package {
  readonly PythonShell: new (script: string, options: object) => PythonShell;
}

export const PYTHON_SHELL: Peer = {
  name: 'python-shell',
  what: 'python-shell in its JSON mode',
  must: 0.8,
  aim: 1,
  packages: { node: ['python-shell'], python: [] },
  start: async ({ python, folder, load }) => {
    const { PythonShell } = (await load('python-shell')) as Package;
    const shell = new PythonShell(join(folder, 'echo.py'), {
      mode: 'json',
      pythonPath: python,
      pythonOptions: ['-u'],
    });
    const asked: ((text: string) => void)[] = [];
    shell.on('message', ({ text }) => asked.shift()?.(text));
    return {
      pid: shell.childProcess.pid,
      echo: (text) =>
        new Promise((resolve) => {
          asked.push(resolve);
          shell.send({ text });
        }),
      stop: () =>
        new Promise((resolve) => {
          shell.end(() => resolve());
        }),
    };
  },
};
