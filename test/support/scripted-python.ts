// How does Python's worker loop behave? A model of it over a scripted process: calls wait, run, stream, call back, and end at the stage that ends them.
import type { NoticeSignal } from '../../actors/port/launcher.ts';
import type {
  AnswerMessage,
  CallMessage,
  Header,
  ScriptedProcess,
  WorldOptions,
} from './scripted-world.ts';

/** What ends a handler that would run for ever: the stage of a cancellation, or nothing but SIGKILL. */
type EndedBy = 'flag' | 'raise' | 'interrupt' | 'kill';

interface Running {
  readonly call: CallMessage;
  readonly endedBy: EndedBy;
  cancelled: 'no' | 'flag' | 'raise';
  credit: number;
  itemsSent: number;
  /** Called with the answers to its callbacks. */
  onAnswer: ((answer: AnswerMessage) => void) | undefined;
}

interface Waiting {
  readonly call: CallMessage;
  state: 'waits' | 'withdrawn' | 'cancelled';
}

/**
 * One process's loop.
 * @public the types of others' helpers are inferred from it
 */
export class Loop {
  readonly running = new Map<number, Running>();
  readonly waiting: Waiting[] = [];
  /** Every call whose handler was begun. */
  readonly started: CallMessage[] = [];
  readonly #process: ScriptedProcess;
  readonly #concurrency: number;
  #callbacks = 0;

  constructor(process: ScriptedProcess, concurrency: number) {
    this.#process = process;
    this.#concurrency = concurrency;
  }

  onCall(call: CallMessage): void {
    if (call.parent !== undefined) {
      this.#start(call);
      return;
    }
    this.waiting.push({ call, state: 'waits' });
    this.#pump();
  }

  onControl(message: Header): void {
    const id = Number(message['id']);
    const running = this.running.get(id);
    const waiting = this.waiting.find(({ call }) => call.id === id);
    switch (message['type']) {
      case 'withdraw':
        if (waiting !== undefined) waiting.state = 'withdrawn';
        this.#process.emit('control', { type: 'withdrawn', id, ok: waiting !== undefined });
        return;
      case 'credit':
        if (running === undefined) return;
        running.credit += Number(message['n']);
        this.#yieldItems(running);
        return;
      case 'cancel':
        if (waiting !== undefined) waiting.state = 'cancelled';
        if (running === undefined) return;
        running.cancelled = message['stage'] === 'flag' ? 'flag' : 'raise';
        if (running.endedBy === running.cancelled) this.#fail(running, 'cancelled');
        return;
      default:
    }
  }

  onInterrupt(): void {
    for (const running of [...this.running.values()]) {
      if (running.cancelled !== 'no' && running.endedBy === 'interrupt') {
        this.#fail(running, 'cancelled');
      }
    }
  }

  onAnswer(answer: AnswerMessage): void {
    for (const { onAnswer } of this.running.values()) onAnswer?.(answer);
  }

  /** Whether a call of this session runs here, or is still to run. */
  hasSession(session: string): boolean {
    const running = [...this.running.values()].map(({ call }) => call);
    const waiting = this.waiting
      .filter(({ state }) => state !== 'withdrawn')
      .map(({ call }) => call);
    return [...running, ...waiting].some((call) => call.session === session);
  }

  /** The handler of this call returns. */
  finish(id: number, result: unknown): void {
    if (!this.running.delete(id)) return;
    this.#process.reply(id, result);
    this.#pump();
  }

  #fail({ call }: Running, code: string): void {
    this.running.delete(call.id);
    this.#process.fail(call.id, code);
    this.#pump();
  }

  #pump(): void {
    while (this.#process.isAlive && this.#outermost() < this.#concurrency) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      if (next.state === 'waits') this.#start(next.call);
      else this.#process.fail(next.call.id, next.state);
    }
  }

  #outermost(): number {
    return [...this.running.values()].filter(({ call }) => call.parent === undefined).length;
  }

  #start(call: CallMessage): void {
    const endedBy = (call.args['endedBy'] ?? 'flag') as EndedBy;
    const running: Running = {
      ...{ call, endedBy, cancelled: 'no', credit: call.stream?.credit ?? 0 },
      ...{ itemsSent: 0, onAnswer: undefined },
    };
    this.running.set(call.id, running);
    this.started.push(call);
    switch (call.op) {
      case 'hang':
        return;
      case 'exit':
        this.#process.exit(9, null);
        return;
      case 'fail':
        this.#fail(running, 'python_error');
        return;
      case 'count':
        this.#yieldItems(running);
        return;
      case 'ask':
        this.#ask(running);
        return;
      default:
        this.finish(call.id, { pid: this.#process.pid, args: call.args });
    }
  }

  /** `count`: yields 0, 1, … `upTo` as credit allows; `then` says how it ends. */
  #yieldItems(running: Running): void {
    const { call } = running;
    const { id, args } = call;
    const upTo = Number(args['upTo']);
    while (running.credit > 0 && running.itemsSent < upTo) {
      this.#process.emit('replies', {
        type: 'item',
        id,
        seq: running.itemsSent,
        value: running.itemsSent,
      });
      running.itemsSent += 1;
      running.credit -= 1;
    }
    if (running.itemsSent < upTo) return;
    if (args['then'] === 'fail') this.#fail(running, 'python_error');
    else if (args['then'] === 'exit') this.#process.exit(9, null);
    else if (args['then'] !== 'hang') this.finish(id, null);
  }

  /** `ask`: calls the function `name` back with `given`, and returns the answer. */
  #ask(running: Running): void {
    const { id, args } = running.call;
    this.#callbacks += 1;
    const callback = this.#callbacks;
    running.onAnswer = (answer) => {
      if (answer.callback !== callback) return;
      const { ok, value, error } = answer;
      this.finish(id, ok ? { value } : { error });
    };
    const { name, given = {}, timeoutMs = null } = args;
    this.#process.emit('replies', { type: 'callback', id, callback, name, args: given, timeoutMs });
  }
}

/** World options for a pool or a worker whose processes all behave so, and their loops. */
export interface ScriptedPython extends Required<
  Pick<WorldOptions, 'onCall' | 'onControl' | 'onAnswer' | 'onNotify'>
> {
  readonly concurrency: number;
  readonly execution: WorldOptions['execution'];
  readonly loopOf: (process: ScriptedProcess) => Loop;
  /** Calls that came while another of their session was not over. */
  readonly sideBySide: readonly CallMessage[];
}

export function scriptedPython(
  concurrency = 1,
  execution?: WorldOptions['execution'],
): ScriptedPython {
  const loops = new Map<ScriptedProcess, Loop>();
  const sideBySide: CallMessage[] = [];
  const loopOf = (process: ScriptedProcess): Loop => {
    const loop = loops.get(process) ?? new Loop(process, concurrency);
    loops.set(process, loop);
    return loop;
  };
  return {
    ...{ concurrency, execution, loopOf, sideBySide },
    onCall: (process: ScriptedProcess, call: CallMessage) => {
      const { session, parent } = call;
      const living = [...loops].filter(([one]) => one.isAlive).map(([, loop]) => loop);
      if (
        session !== null &&
        parent === undefined &&
        living.some((loop) => loop.hasSession(session))
      )
        sideBySide.push(call);
      loopOf(process).onCall(call);
    },
    onControl: (process: ScriptedProcess, message: Header) => loopOf(process).onControl(message),
    onAnswer: (process: ScriptedProcess, answer: AnswerMessage) => loopOf(process).onAnswer(answer),
    onNotify: (process: ScriptedProcess, signal: NoticeSignal) => {
      if (signal === 'SIGINT') loopOf(process).onInterrupt();
    },
  };
}
