// What do the processes behind a router do in its tests? A model of a bridge with state: each scope has a list of what was done to it, which can be put into a snapshot.
import type {
  CallMessage,
  Header,
  ScriptedProcess,
  WorldOptions,
} from '../../support/scripted-world.ts';

/** One that hangs until the test, or its cancellation, ends it. */
interface Held {
  readonly process: ScriptedProcess;
  readonly call: CallMessage;
}

const SETS: ReadonlySet<string> = new Set(['create', 'update', 'configure']);

/** The processes of one test. */
export class RoutedWorld implements Pick<WorldOptions, 'onCall' | 'onControl'> {
  /** Calls that hang, by their argument `n`. */
  readonly held = new Map<unknown, Held>();
  /** What these operations do instead; `true`: as always. */
  readonly acts = new Map<string, (process: ScriptedProcess, call: CallMessage) => boolean>();
  readonly #states = new Map<ScriptedProcess, Map<string, string[]>>();

  readonly onCall = (process: ScriptedProcess, call: CallMessage): void => {
    const act = this.acts.get(call.op);
    if (act === undefined || act(process, call)) this.#act(process, call);
  };

  readonly onControl = (process: ScriptedProcess, { type, id }: Header): void => {
    if (type !== 'cancel') return;
    for (const [n, { process: of, call }] of this.held) {
      if (of !== process || call.id !== id || call.args['isDeaf'] === true) continue;
      this.held.delete(n);
      process.fail(call.id, 'cancelled');
    }
  };

  /** What was done to a scope in this process, in order. */
  stateOf(process: ScriptedProcess, session: string | null): string[] {
    const scopes = this.#states.get(process) ?? new Map<string, string[]>();
    this.#states.set(process, scopes);
    const state = scopes.get(session ?? '') ?? [];
    scopes.set(session ?? '', state);
    return state;
  }

  /** The call that hangs under this name returns. */
  finish(n: unknown, result: unknown = n): void {
    const held = this.held.get(n);
    if (held === undefined) throw new Error(`no call hangs as ${String(n)}`);
    this.held.delete(n);
    held.process.reply(held.call.id, result);
  }

  #act(process: ScriptedProcess, call: CallMessage): void {
    const { op, args, id, session } = call;
    const state = this.stateOf(process, session);
    if (SETS.has(op)) state.push(`${op} ${String(args['id'])}`);
    switch (op) {
      case 'hang':
        this.held.set(args['n'], { process, call });
        return;
      case 'exit':
        process.exit(9, null);
        return;
      case 'fail':
        process.fail(id, (args['code'] as string | undefined) ?? 'python_error');
        return;
      case 'delete':
        state.splice(
          0,
          state.length,
          ...state.filter((one) => !one.endsWith(` ${String(args['id'])}`)),
        );
        break;
      case 'restore':
        state.splice(0, state.length, ...(args['state'] as string[]));
        break;
      case 'forget':
        state.length = 0;
        break;
      case 'snapshot':
      case 'state':
        process.reply(id, [...state]);
        return;
      default:
    }
    process.reply(id, `${op} in ${process.pid}`);
  }
}
