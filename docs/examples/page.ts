// Where does a line of the human report stand? Margins, headings, labels, and the wait that is wiped away.
import { widthOf, wrap, type Paint, type Style, type Terminal } from './terminal.ts';

const INDENT = 2;
const LABEL_WIDTH = 12;
const CLEAR_LINE = '\r\u001B[2K';

/** Paper with a margin, to write on from top to bottom. */
export class Page {
  readonly paint: Paint;
  readonly width: number;
  readonly #terminal: Terminal;
  #section = '';
  #isPausing = false;

  constructor(terminal: Terminal, paint: Paint) {
    this.#terminal = terminal;
    this.paint = paint;
    this.width = widthOf(terminal);
  }

  line(text = ''): void {
    this.endPause();
    this.#terminal.write(`${text.trimEnd()}\n`);
  }

  /** A heading, once: what follows under the same one continues it. */
  section(title: string): void {
    if (this.#section === title) return;
    this.#section = title;
    this.line();
    this.line(this.paint('bold', title));
  }

  /** Text under a label, wrapped beside it; `aside` stands at the right of the first line. */
  entry(label: string, text: string, look: EntryLook = {}): void {
    const { aside = '', style, labelStyle = 'dim', labelWidth = LABEL_WIDTH } = look;
    const indent = INDENT + labelWidth + 1;
    const room = this.width - indent - (aside === '' ? 0 : aside.length + INDENT);
    for (const [i, piece] of wrap(text, room).entries()) {
      const shownLabel = (i === 0 ? label : '').padEnd(labelWidth);
      const shown = style === undefined ? piece : this.paint(style, piece);
      const gap = ' '.repeat(room - piece.length + INDENT);
      const right = i === 0 && aside !== '' ? `${gap}${this.paint('dim', aside)}` : '';
      this.line(`${' '.repeat(INDENT)}${this.paint(labelStyle, shownLabel)} ${shown}${right}`);
    }
  }

  /** Say why nothing is to be seen; wiped away by the next line. Only where something can be wiped. */
  pause(text: string): void {
    if (this.#terminal.isTTY !== true) return;
    this.#terminal.write(this.paint('dim', text));
    this.#isPausing = true;
  }

  endPause(): void {
    if (this.#isPausing) this.#terminal.write(CLEAR_LINE);
    this.#isPausing = false;
  }
}

export interface EntryLook {
  readonly aside?: string;
  readonly style?: Style;
  readonly labelStyle?: Style;
  readonly labelWidth?: number;
}
