// How do scripted workers run the operations of a plan? As `test/fixtures/model_bridge.py` does: with a memory by scope, and every execution written down.
import type {
  CallMessage,
  Header,
  ScriptedProcess,
  WorldOptions,
} from '../support/scripted-world.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import type { Execution } from './model-target.ts';

interface Scope {
  readonly things: Map<string, number>;
  level: number | null;
}

interface Running {
  readonly call: CallMessage;
  /** Its items that may be sent. */
  credit: number;
  itemsSent: number;
}

/** How often `flaky` raises before it answers. */
const FLAKY_FAILURES = 1;
const EXIT_STATUS = 3;

/** What all processes of one play share: the clock, and what is written down. */
export interface Notebook {
  readonly clock: () => VirtualClock;
  readonly stamp: () => number;
  readonly executions: Execution[];
}

/** One process: its memory, and what runs in it. */
class Memory {
  readonly #process: ScriptedProcess;
  readonly #notes: Notebook;
  readonly #concurrency: number;
  readonly #scopes = new Map<string | null, Scope>();
  readonly #running = new Map<number, Running>();
  readonly #waiting: CallMessage[] = [];
  readonly #gone = new Map<number, 'withdrawn' | 'cancelled'>();

  constructor(process: ScriptedProcess, notes: Notebook, concurrency: number) {
    this.#process = process;
    this.#notes = notes;
    this.#concurrency = concurrency;
  }

  onCall(call: CallMessage): void {
    this.#waiting.push(call);
    this.#pump();
  }

  onControl(message: Header): void {
    const id = Number(message['id']);
    const running = this.#running.get(id);
    const isWaiting = this.#waiting.some((call) => call.id === id);
    switch (message['type']) {
      case 'withdraw':
        if (isWaiting) this.#gone.set(id, 'withdrawn');
        this.#process.emit('control', { type: 'withdrawn', id, ok: isWaiting });
        return;
      case 'credit':
        if (running === undefined) return;
        running.credit += Number(message['n']);
        this.#yieldItems(running);
        return;
      case 'cancel':
        if (isWaiting) this.#gone.set(id, 'cancelled');
        if (running === undefined || running.call.op === 'stubborn') return;
        this.#over(running.call, () => this.#process.fail(id, 'cancelled'));
        return;
      default:
    }
  }

  #pump(): void {
    while (this.#process.isAlive && this.#running.size < this.#concurrency) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const gone = this.#gone.get(next.id);
      if (gone === undefined) this.#start(next);
      else this.#process.fail(next.id, gone);
    }
  }

  #start(call: CallMessage): void {
    const running: Running = { call, credit: call.stream?.credit ?? 0, itemsSent: 0 };
    this.#running.set(call.id, running);
    for (const args of callsOf(call)) this.#note('start', call, args);
    const ms = Math.max(0, ...callsOf(call).map((args) => Number(args['ms'] ?? 0)));
    if (ms === 0) this.#act(running);
    else
      this.#notes.clock().setTimeout(() => {
        if (
          this.#process.isAlive &&
          !this.#process.isFrozen &&
          this.#running.get(call.id) === running
        )
          this.#act(running);
      }, ms);
  }

  #act(running: Running): void {
    const { call } = running;
    switch (call.op) {
      case 'stubborn':
        return;
      case 'exit':
        this.#process.exit(EXIT_STATUS, null);
        return;
      case 'count':
        this.#yieldItems(running);
        return;
      default:
        this.#answer(call);
    }
  }

  #answer(call: CallMessage): void {
    const { id, op, args, batch } = call;
    if (batch !== undefined) {
      const outcomes = callsOf(call).map((each) => ({ ok: true, result: this.#result(each) }));
      this.#over(call, () => this.#process.reply(id, outcomes));
      return;
    }
    const scope = this.#scopeOf(call.session);
    const thing = String(args['id']);
    const value = scope.things.get(thing);
    const fail = (code: string): void => this.#over(call, () => this.#process.fail(id, code));
    const finish = (more: object = {}): void => {
      this.#over(call, () => this.#process.reply(id, { ...this.#result(args), ...more }));
    };
    switch (op) {
      case 'make':
        scope.things.set(thing, 0);
        finish();
        return;
      case 'add':
        if (value === undefined) fail('unknown_thing');
        else {
          scope.things.set(thing, value + 1);
          finish({ value: value + 1 });
        }
        return;
      case 'drop':
        if (scope.things.delete(thing)) finish();
        else fail('unknown_thing');
        return;
      case 'setup':
        scope.level = Number(args['number']);
        finish();
        return;
      case 'look':
        finish(this.#view(scope));
        return;
      case 'raise':
        fail('python_error');
        return;
      case 'flaky':
        if (this.#triesOf(Number(args['number'])) <= FLAKY_FAILURES) fail('unavailable');
        else finish();
        return;
      default:
        this.#answerPool(call, scope, finish);
    }
  }

  /** What the pool calls by itself, and what only gives its number back. */
  #answerPool({ op, args, session, id }: CallMessage, scope: Scope, finish: () => void): void {
    if (op === 'load') {
      scope.things.clear();
      const state = args['state'] as Readonly<Record<string, number>>;
      for (const [name, value] of Object.entries(state)) scope.things.set(name, value);
    }
    if (op === 'forget') this.#scopes.delete(session);
    if (op !== 'dump') {
      finish();
      return;
    }
    this.#running.delete(id);
    this.#process.reply(id, Object.fromEntries(scope.things));
    this.#pump();
  }

  #view(scope: Scope): object {
    return {
      things: Object.fromEntries(scope.things),
      level: scope.level,
      common: this.#scopeOf(null).level,
    };
  }

  #result(args: Header): object {
    return { number: args['number'], pid: this.#process.pid };
  }

  /** `count`: 0, 1, … as far as there is credit. */
  #yieldItems(running: Running): void {
    const { call } = running;
    const upTo = Number(call.args['upTo']);
    for (; running.credit > 0 && running.itemsSent < upTo; running.credit -= 1) {
      const item = { type: 'item', id: call.id, seq: running.itemsSent, value: running.itemsSent };
      this.#process.emit('replies', item);
      running.itemsSent += 1;
    }
    if (running.itemsSent >= upTo) this.#over(call, () => this.#process.reply(call.id, null));
  }

  #over(call: CallMessage, tell: () => void): void {
    if (!this.#running.delete(call.id)) return;
    for (const args of callsOf(call)) this.#note('end', call, args);
    tell();
    this.#pump();
  }

  #note(kind: Execution['kind'], { op, session }: CallMessage, args: Header): void {
    const number = Number(args['number'] ?? -1);
    const { pid } = this.#process;
    this.#notes.executions.push({ kind, number, op, session, pid, stamp: this.#notes.stamp() });
  }

  #triesOf(number: number): number {
    return this.#notes.executions.filter((one) => one.kind === 'start' && one.number === number)
      .length;
  }

  #scopeOf(session: string | null): Scope {
    const known = this.#scopes.get(session) ?? { things: new Map(), level: null };
    this.#scopes.set(session, known);
    return known;
  }
}

/** The calls of a batch, or the one call. */
function callsOf({ args, batch }: CallMessage): readonly Header[] {
  return batch === undefined ? [args] : (args['calls'] as readonly Header[]);
}

/** World options for workers that all run so. */
export function modelPython(
  notes: Notebook,
  concurrency: number,
): Pick<WorldOptions, 'onCall' | 'onControl' | 'concurrency'> {
  const memories = new Map<ScriptedProcess, Memory>();
  const memoryOf = (process: ScriptedProcess): Memory => {
    const known = memories.get(process) ?? new Memory(process, notes, concurrency);
    memories.set(process, known);
    return known;
  };
  return {
    concurrency,
    onCall: (process, call) => memoryOf(process).onCall(call),
    onControl: (process, message) => memoryOf(process).onControl(message),
  };
}
