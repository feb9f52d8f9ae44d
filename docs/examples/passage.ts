// What is asked when the user brings no text? The shipped passage and the questions that belong to each text.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The build holds compiled code only, so the passage is found from the folder of `package.json`. */
export const PASSAGE_FILE = path.join(packageRoot(), 'docs', 'examples', 'passage.txt');

/** Questions about the passage; the text does not answer the last one, and an honest model says so. */
const ABOUT_PASSAGE = [
  'Who wanted to couple programs like garden hose?',
  'When were pipes added to Unix?',
  'How many bytes does a pipe hold on Linux?',
  'Who invented the telephone?',
];
const ABOUT_ANY_TEXT = ['What is the main point of this text?'];

/** What the session `calculator` is asked. */
export const SUMS = [
  'What is 1973 - 1964?',
  'What is 65536 / 4096?',
  'How much is 12.5% of 65536?',
];

/** What the session `calculator` is asked while the other one has no worker. */
export const SUM_MEANWHILE = 'What is 17 * 23?';

export interface Questions {
  readonly before: readonly string[];
  /** Its worker is killed while it works on this one. */
  readonly fatal: string;
}

/** The questions of a run. The user's last one is asked, is cut off by the kill, and is asked again. */
export function questionsFor(asks: readonly string[], isOwnText: boolean): Questions {
  const before = asks.length > 0 ? asks : isOwnText ? ABOUT_ANY_TEXT : ABOUT_PASSAGE;
  const last = before.at(-1) ?? '';
  const isShipped = before === ABOUT_PASSAGE;
  return {
    before,
    fatal: isShipped
      ? 'What happens to a program that writes to a pipe when the last reader has gone?'
      : last,
  };
}

function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}
