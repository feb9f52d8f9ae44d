// How does somebody talk to a running program by hand? Line by line: calls, streams, and what there is to see.
import { createInterface, type Interface } from 'node:readline';

import type { BridgeHandle } from '../bridge-handle.ts';
import type { Runtime } from '../runtime.ts';
import { Catalog } from './catalog.ts';
import { completionsOf, orderOf, type CommandName, type Known } from './repl-line.ts';
import { columns, helpText, operationsText, statisticsText, treeText } from './repl-views.ts';
import { errorText, valueText } from './show.ts';
import type { Terminal } from './terminal.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, UsageError } from './usage-error.ts';

const PROMPT = '> ';

/** One conversation with a runtime, from its first line to its last. */
export class Repl {
  readonly #terminal: Terminal;
  readonly #runtime: Runtime;
  readonly #bridges: readonly string[];
  readonly #catalog = new Catalog();
  readonly #lines: Interface;
  readonly #isPerson: boolean;
  /** `ending`: there are no more lines; those before are still dealt with. `left`: they are not. */
  #phase: 'reading' | 'ending' | 'left' | 'interrupted' = 'reading';
  /** What runs at the moment, and how it is ended. */
  #running: AbortController | undefined;
  #session: string | undefined;
  /** The lines before have been dealt with; they are in their order. */
  #done: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(terminal: Terminal, runtime: Runtime, bridges: readonly string[]) {
    this.#terminal = terminal;
    this.#runtime = runtime;
    this.#bridges = bridges;
    this.#isPerson = terminal.input.isTTY === true;
    this.#lines = createInterface({
      input: terminal.input,
      ...(this.#isPerson ? { output: terminal.output } : {}),
      terminal: this.#isPerson,
      prompt: PROMPT,
      completer: (line: string) => completionsOf(line, this.#known()),
    });
  }

  /**
   * Deal with all lines, until there are no more or one says so.
   * @param asked bridges that run already: their operations can be completed at once.
   * @returns the status of the command: 1 when something failed and nobody looked on.
   */
  async run(asked: readonly string[]): Promise<number> {
    for (const name of asked) void this.#catalog.operationsOf(this.#runtime.pool(name));
    const end = this.#terminal.onInterrupt(() => this.#leave('interrupted'));
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('line', (line) => {
      this.#done = this.#done.then(() => this.#take(line));
    });
    const closed = new Promise<void>((resolve) => this.#lines.once('close', () => resolve()));
    this.#prompt();
    await closed;
    if (this.#phase === 'reading') this.#endLine('ending');
    await this.#done;
    end();
    if (this.#isLeft('interrupted')) return EXIT_INTERRUPTED;
    return this.#failures > 0 && !this.#isPerson ? EXIT_FAILED : 0;
  }

  async #take(line: string): Promise<void> {
    if (this.#isLeft()) return;
    try {
      const order = orderOf(line);
      if (order.type === 'call') await this.#call(order.bridge, order.op, order.args);
      if (order.type === 'command') {
        const text = await this.#command(order.name, order.argument);
        if (text !== '') this.#print(text);
      }
    } catch (error) {
      this.#failures += 1;
      const text = error instanceof UsageError ? error.message : errorText(error);
      this.#terminal.errors.write(`${text}\n`);
    }
    this.#prompt();
  }

  async #call(bridge: string, op: string, args: unknown): Promise<void> {
    const handle = this.#handle(bridge);
    const controller = new AbortController();
    this.#running = controller;
    const options = { sessionId: this.#session, signal: controller.signal };
    try {
      const operations = await this.#catalog.operationsOf(handle);
      if (operations.some(({ name, streams }) => name === op && streams)) {
        for await (const item of handle.stream(op, args, options)) this.#show(item);
      } else {
        this.#show(await handle.call(op, args, options));
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** What there is to say for it. */
  async #command(name: CommandName, argument: string): Promise<string> {
    switch (name) {
      case 'help':
        return helpText();
      case 'bridges':
        return columns(this.#bridges.map((each) => [each, this.#stateOf(each)]));
      case 'ops':
        return this.#operations(argument);
      case 'tree':
        return treeText(this.#runtime.tree());
      case 'stats':
        return this.#statistics(argument);
      case 'session':
        this.#session = argument === '' ? undefined : argument;
        return argument === '' ? 'in no session' : `in session ${argument}`;
      case 'end':
        await this.#endSession(argument);
        return `session ${argument} has ended`;
      case 'reload':
        await this.#handle(argument).reload();
        return `${argument} has new workers`;
      case 'exit':
        this.#leave('left');
        return '';
      default:
        return name satisfies never;
    }
  }

  async #operations(argument: string): Promise<string> {
    const texts: string[] = [];
    for (const bridge of argument === '' ? this.#started() : [argument]) {
      const operations = await this.#catalog.operationsOf(this.#handle(bridge));
      texts.push(operationsText(bridge, operations));
    }
    return texts.join('\n');
  }

  #statistics(argument: string): string {
    const names = argument === '' ? this.#started() : [argument];
    return names.map((each) => statisticsText(each, this.#handle(each).statistics())).join('\n');
  }

  async #endSession(id: string): Promise<void> {
    if (id === '') throw new UsageError('.end needs the id of a session');
    for (const bridge of this.#started()) await this.#handle(bridge).endSession(id);
  }

  /** Ctrl-C, typed: the first one ends what runs, else what is being typed, else all of it. */
  #interrupt(): void {
    if (this.#running !== undefined) this.#running.abort();
    else if (this.#lines.line !== '') this.#lines.write(null, { ctrl: true, name: 'u' });
    else {
      this.#endLine('left');
      this.#leave('left');
    }
  }

  /** What comes next does not stand behind the prompt. */
  #endLine(phase: 'ending' | 'left'): void {
    this.#phase = phase;
    if (this.#isPerson) this.#print('');
  }

  #leave(phase: 'left' | 'interrupted'): void {
    this.#phase = phase;
    this.#running?.abort();
    this.#lines.close();
  }

  #isLeft(how: 'left' | 'interrupted' | 'either' = 'either'): boolean {
    return how === 'either' ? ['left', 'interrupted'].includes(this.#phase) : this.#phase === how;
  }

  #handle(bridge: string): BridgeHandle {
    if (bridge === '') throw new UsageError('which bridge?');
    return this.#runtime.pool(bridge);
  }

  #started(): readonly string[] {
    return this.#bridges.filter((name) => this.#stateOf(name) !== 'unstarted');
  }

  #stateOf(bridge: string): string {
    const { state, size } = this.#runtime.pool(bridge).statistics();
    return state === 'unstarted' ? state : `${state}, ${size} ${size === 1 ? 'worker' : 'workers'}`;
  }

  #known(): Known {
    return new Map(
      this.#bridges.map((name) => {
        const operations = this.#catalog.known(this.#runtime.pool(name));
        return [name, operations.map((operation) => operation.name)] as const;
      }),
    );
  }

  #show(value: unknown): void {
    this.#print(valueText(value, { colors: this.#terminal.output.isTTY }));
  }

  #print(text: string): void {
    this.#terminal.output.write(`${text}\n`);
  }

  #prompt(): void {
    if (this.#isPerson && this.#phase === 'reading') this.#lines.prompt();
  }
}
