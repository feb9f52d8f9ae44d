// How is a case run on our side? The real supervisors under virtual time: each step until nothing moves any more.
import { startSupervisor } from '../../supervisors/start-supervisor.ts';
import {
  BadChildSpecError,
  StartChildError,
  SupervisorError,
} from '../../supervisors/supervision-errors.ts';
import type { StartedChild, SupervisorHandle } from '../../supervisors/supervisor-handle.ts';
import type { ChildEntry } from '../../supervisors/supervisor-view.ts';
import { System } from '../../supervisors/system.ts';
import {
  pathText,
  type Call,
  type Case,
  type Ending,
  type Item,
  type Path,
  type Step,
} from './case.ts';
import { Book, childSpec, endingReason, flagsOf, reasonText, type Process } from './ours-tree.ts';
import { SteppingClock } from './stepping-clock.ts';
import type { StepTrace, Trace } from './trace.ts';

type Words = readonly string[];

const ROOT = '/';
/** More firings without an end are a loop. */
const SETTLE_MAX = 10_000;

/** Run the case on our supervisors. */
export async function ours(given: Case): Promise<Trace> {
  return new Run(given).trace();
}

class Run {
  readonly #given: Case;
  readonly #clock = new SteppingClock();
  readonly #book = new Book();
  readonly #steps: StepTrace[] = [];
  #root: SupervisorHandle | undefined;

  constructor(given: Case) {
    this.#given = given;
  }

  async trace(): Promise<Trace> {
    await this.#record([await this.#start()]);
    for (const step of this.#given.steps) await this.#record(await this.#take(step));
    await this.#record([await this.#stop()]);
    return this.#steps;
  }

  async #start(): Promise<Words> {
    const system = new System({ clock: this.#clock });
    const n = this.#book.nextAttempt(ROOT);
    this.#book.note({ type: 'start', path: ROOT, n, outcome: 'supervisor' });
    system.on('supervisor.stopped', ({ supervisor, reason }) => {
      if (supervisor !== 'root') return;
      this.#book.note({ type: 'exit', path: ROOT, n, reason: reasonText(reason) });
    });
    const starting = startSupervisor(flagsOf(this.#book, this.#given.root, []), { system });
    return this.#answer(
      starting.then((handle) => {
        this.#root = handle;
        this.#book.enter({ path: ROOT, n, ref: handle.ref, handle });
        return ['ok'];
      }, failedStart),
    );
  }

  async #stop(): Promise<Words> {
    if (this.#root === undefined || this.#book.living(ROOT) === undefined) return ['nobody'];
    return this.#answer(this.#root.stop(endingReason(this.#given.stop)).then(() => ['stopped']));
  }

  async #record(results: readonly Words[]): Promise<void> {
    await this.#settle();
    const snapshot = await this.#snapshot();
    this.#steps.push({ events: this.#book.takeEvents(), results, snapshot });
  }

  /** Until no promise, no poll and no timer has anything left to do. */
  async #settle(): Promise<void> {
    for (let count = 0; count < SETTLE_MAX; count += 1) {
      await promises();
      if (!this.#clock.poll() && !this.#clock.step()) return;
    }
    throw new Error('this case never comes to rest');
  }

  async #answer(asked: Promise<Words>): Promise<Words> {
    const [answer = []] = await this.#answers([asked]);
    return answer;
  }

  async #answers(asked: readonly Promise<Words>[]): Promise<readonly Words[]> {
    const answers: Words[] = asked.map(() => ['stuck']);
    for (const [index, one] of asked.entries()) {
      void one.then((words) => {
        answers[index] = words;
      });
    }
    await this.#settle();
    return answers;
  }

  async #take(step: Step): Promise<readonly Words[]> {
    switch (step.type) {
      case 'exit':
        return [this.#end(step.path, step.how)];
      case 'call':
        return [await this.#answer(this.#call(this.#handle(step.at), step.at, step.call))];
      case 'together':
        return this.#together(step.at, step.items);
      case 'script':
        this.#book.script(pathText(step.path), step.outcomes);
        return [];
      case 'wait':
        this.#clock.advance(step.ms);
        return [];
      default:
        return step satisfies never;
    }
  }

  #handle(at: Path): SupervisorHandle | undefined {
    return this.#book.living(pathText(at))?.handle;
  }

  #end(path: Path, how: Ending): Words {
    const worker = this.#book.living(pathText(path));
    if (worker === undefined) return ['nobody'];
    const event: { readonly type: 'end'; readonly how: Ending } = { type: 'end', how };
    worker.ref.send(event);
    return ['told'];
  }

  /** A start that takes its time holds the supervisor up; what comes meanwhile waits in this order. */
  async #together(at: Path, items: readonly Item[]): Promise<readonly Words[]> {
    const handle = this.#handle(at);
    if (handle === undefined) return [['nobody']];
    let open: () => void = () => undefined;
    const gate = new Promise<'ignore'>((resolve) => {
      open = () => resolve('ignore');
    });
    const held = handle.startChild(this.#gateSpec(at, gate));
    const asked = items.map((item) =>
      item.type === 'exit'
        ? Promise.resolve(this.#end(item.path, item.how))
        : this.#call(handle, at, item.call),
    );
    open();
    const answers = await this.#answers([...asked, held.then(() => [], this.#refused)]);
    return answers.slice(0, -1);
  }

  #gateSpec(at: Path, gate: Promise<'ignore'>): unknown {
    const isSimple = this.#strategy(at) === 'simple_one_for_one';
    return isSimple ? { gate } : { id: 'gate', restart: 'temporary', start: () => gate };
  }

  #strategy(at: Path): string | undefined {
    return this.#handle(at)?.statistics().strategy;
  }

  async #call(handle: SupervisorHandle | undefined, at: Path, call: Call): Promise<Words> {
    if (handle === undefined) return ['nobody'];
    try {
      return await this.#api(handle, at, call);
    } catch (error) {
      return this.#refused(error);
    }
  }

  async #api(handle: SupervisorHandle, at: Path, call: Call): Promise<Words> {
    switch (call.type) {
      case 'start_child':
        return this.#started(await handle.startChild(childSpec(this.#book, call.plan, at)));
      case 'start_dynamic':
        return this.#started(await handle.startChild({ label: call.label }));
      case 'restart_child':
        return this.#started(await handle.restartChild(call.id));
      case 'terminate_child':
        await handle.terminateChild(call.id);
        return ['ok'];
      case 'delete_child':
        await handle.deleteChild(call.id);
        return ['ok'];
      case 'get_childspec':
        return specWords(await handle.getChildSpec(call.id));
      case 'terminate_pid':
      case 'get_childspec_pid': {
        const process = this.#book.latest(pathText(call.path));
        return process === undefined ? ['nobody'] : ofProcess(handle, call.type, process);
      }
      case 'which_children':
        return this.#which(await handle.whichChildren());
      case 'count_children':
        return countWords(await handle.countChildren());
      default:
        return call satisfies never;
    }
  }

  /** Why it would not, in the words of the Erlang side. */
  readonly #refused = (error: unknown): Words => {
    if (error instanceof BadChildSpecError) return ['refused', error.problem];
    if (error instanceof StartChildError) return ['failed', reasonText(error.reason)];
    if (!(error instanceof SupervisorError)) throw error;
    if (error.code === 'noproc') return ['gone'];
    const { code, ref } = error;
    if (code !== 'already_started' || ref === undefined) return ['error', code];
    return [code, this.#book.nameOf(ref)];
  };

  #started({ child }: StartedChild): Words {
    return ['ok', child === undefined ? 'nobody' : this.#book.nameOf(child)];
  }

  #which(entries: readonly ChildEntry[]): Words {
    const words = entries.map(({ id, child, type }) => {
      const shown = typeof child === 'object' ? this.#book.nameOf(child) : String(child);
      return `${String(id)}:${shown}:${type}`;
    });
    return ['which', ...words];
  }

  /** One line for each living supervisor, from the root down, older children first. */
  async #snapshot(): Promise<readonly string[]> {
    const lines: string[] = [];
    const visit = async (path: string): Promise<void> => {
      const process = this.#book.living(path);
      if (process?.handle === undefined) return;
      const { handle, ref } = process;
      let entries: readonly ChildEntry[] = [];
      const words = await this.#answer(
        handle.whichChildren().then((which) => {
          entries = which;
          return this.#which(which);
        }, this.#refused),
      );
      const count = await this.#answer(handle.countChildren().then(countWords, this.#refused));
      lines.push([this.#book.nameOf(ref), ...words, ...count].join(' '));
      for (const { child, type } of [...entries].reverse()) {
        if (type !== 'supervisor' || typeof child !== 'object') continue;
        await visit(this.#book.nameOf(child).replace(/#\d+$/u, ''));
      }
    };
    await visit(ROOT);
    return lines;
  }
}

async function ofProcess(
  handle: SupervisorHandle,
  type: 'terminate_pid' | 'get_childspec_pid',
  { ref }: Process,
): Promise<Words> {
  if (type === 'get_childspec_pid') return specWords(await handle.getChildSpec(ref));
  await handle.terminateChild(ref);
  return ['ok'];
}

function specWords(spec: Awaited<ReturnType<SupervisorHandle['getChildSpec']>>): Words {
  const { id, restart, shutdown, significant, type } = spec;
  const options = { id, restart, shutdown, significant, type };
  return ['spec', ...Object.entries(options).map(([key, value]) => `${key}=${value}`)];
}

function countWords(counts: Awaited<ReturnType<SupervisorHandle['countChildren']>>): Words {
  const { specs, active, supervisors, workers } = counts;
  return ['count', [specs, active, supervisors, workers].join('/')];
}

/** Why the root did not start, in the words of the Erlang side. */
function failedStart(error: unknown): Words {
  if (error instanceof BadChildSpecError) return ['failed', `bad_spec(${error.problem})`];
  if (!(error instanceof StartChildError)) throw error;
  const { child, reason } = error;
  const detail = { failed_to_start_child: child, reason };
  return ['failed', reasonText({ type: 'shutdown', detail })];
}

/** Let everything run that waits for a promise. */
function promises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
