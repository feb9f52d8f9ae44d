// How does text fit a terminal? Wrapping, columns and a little colour, where colour is wanted.

const WIDTH_MAX = 96;
const WIDTH_MIN = 48;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'cyan';

const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  cyan: [36, 39],
};

/** Where the text goes. */
export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export type Paint = (style: Style, text: string) => string;

/** Colour only for people who look at a terminal and have not asked for none (https://no-color.org). */
export function painter(
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const noColor = env['NO_COLOR'] ?? '';
  if (terminal.isTTY !== true || noColor !== '' || env['TERM'] === 'dumb') return (_, text) => text;
  return (style, text) => {
    const [on, off] = CODES[style];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  };
}

export function widthOf(terminal: Terminal): number {
  // Terminals that do not know their width say 0.
  const columns = terminal.columns ?? 0;
  return columns === 0 ? WIDTH_MAX : Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, columns));
}

/** Lines of at most `width` characters; a word that is longer than that is cut. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/\s+/u).flatMap((each) => pieces(each, width))) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = '';
      }
      line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

function pieces(word: string, width: number): readonly string[] {
  const count = Math.max(1, Math.ceil(word.length / width));
  return Array.from({ length: count }, (_, i) => word.slice(i * width, (i + 1) * width));
}
