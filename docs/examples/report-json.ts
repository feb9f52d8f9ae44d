// How does a program read the main job? One JSON object a line.
import type { Tell } from './happenings.ts';
import type { Terminal } from './terminal.ts';

export function jsonReport(stdout: Terminal): Tell {
  return (happening) => stdout.write(`${JSON.stringify(happening)}\n`);
}
