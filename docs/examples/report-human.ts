// How does a person read the main job? Sections, columns and a time line, told as it happens.
import { formatExitReason, type TreeNode } from '../../src/index.ts';
import type { Happening, Seat, Tell } from './happenings.ts';
import { Page } from './page.ts';
import { painter, wrap, type Style, type Terminal } from './terminal.ts';

const INTRO =
  'Two DSPy programs, each in a session of its own, run on two supervised Python workers. ' +
  'One worker is killed in the middle of a call; its session goes on in the process that takes its place.';

export interface HumanReport {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tells people on `stdout`, and what went wrong on `stderr`. */
export function humanReport({ stdout, stderr, env }: HumanReport): Tell {
  const page = new Page(stdout, painter(stdout, env));
  return (happening) => {
    if (happening.type === 'failure') {
      page.endPause();
      stderr.write(`\n✗ ${happening.code}: ${happening.message}\n`);
      return;
    }
    // The table has an entry for every type, and each takes its own.
    const writer = WRITERS[happening.type] as (page: Page, told: Happening) => void;
    writer(page, happening);
  };
}

type Told<Type extends Happening['type']> = Extract<Happening, { readonly type: Type }>;
type Writers = {
  readonly [Type in Exclude<Happening['type'], 'failure'>]: (page: Page, told: Told<Type>) => void;
};

const WRITERS: Writers = {
  start: (page, { model, text, textWords }) => {
    page.line(page.paint('bold', 'Caduceus: the main job'));
    page.line();
    for (const line of wrap(INTRO, page.width)) page.line(line);
    page.line();
    page.entry('model', model);
    page.entry('text', `${text}, ${textWords} words`);
    page.pause('Starting two Python workers with DSPy …');
  },

  tree: (page, { when, root }) => {
    page.section(when === 'started' ? 'Supervision tree' : 'Supervision tree, afterwards');
    drawTree(page, root);
  },

  session: (page, { session, signature, programType, programId, workerId }) => {
    page.section('Sessions');
    page.entry(session, signature, { aside: workerId, labelStyle: 'cyan' });
    page.entry('', `${programType}, program ${programId}`, { style: 'dim' });
  },

  answer: (page, told) => {
    const { session, question, answer, workerId, pid, ms, atMs } = told;
    if (atMs !== undefined) {
      writeMoment(page, { atMs, what: session, text: question, aside: pidText(pid) });
      page.entry('', String(answer), { labelWidth: MOMENT_WIDTH, style: 'bold' });
      return;
    }
    page.section('Questions and answers');
    const aside = `${workerId}  ${pidText(pid)}  ${inMs(ms).padStart(MS_WIDTH)}`;
    page.entry(session, question, { aside, labelStyle: 'cyan' });
    page.entry('', String(answer), { style: 'bold' });
  },

  in_flight: (page, { session, question, seen }) => {
    page.section('SIGKILL in the middle of a call');
    page.entry(session, question, { labelStyle: 'cyan' });
    page.entry('', SEEN[seen], { style: 'dim' });
    page.line();
  },

  killed: (page, told) => {
    const text = `to ${seatText(told)}`;
    writeMoment(page, { atMs: 0, what: told.signal, text, style: 'red' });
  },

  error: (page, { code, outcome, exitReason, message, atMs }) => {
    const text = `${code}, outcome ${outcome}, exit reason ${formatExitReason(exitReason)}`;
    writeMoment(page, { atMs, what: 'the call', text, style: 'red' });
    page.entry('', message, { labelWidth: MOMENT_WIDTH });
  },

  decision: (page, { supervisor, child, verdict, because, restartsInWindow, atMs }) => {
    const text = `${verdict} ${supervisor}/${child} (${because}; ${restartsInWindow} in the window)`;
    writeMoment(page, { atMs, what: 'supervisor', text });
  },

  restarted: (page, told) => {
    writeMoment(page, { atMs: told.atMs, what: 'ready', text: seatText(told), style: 'green' });
  },

  replayed: (page, { scope, operations, atMs }) => {
    writeMoment(page, { atMs, what: 'replayed', text: `${scope}: ${operations.join(', ')}` });
  },

  summary: (page, summary) => {
    const { ok, sessions, answers, newPid, epoch, programId, recoveryMs, processesLeft } = summary;
    const recovered =
      `The session went on ${inMs(recoveryMs ?? 0)} after the SIGKILL: same program ${programId ?? ''}, ` +
      `new process ${newPid ?? ''}, epoch ${epoch ?? ''}. ${answers} answers in ${sessions} sessions.`;
    const text = `${ok ? recovered : 'The job failed.'} Processes left: ${processesLeft}.`;
    page.line();
    for (const [i, line] of wrap(text, page.width - MARK_WIDTH).entries()) {
      const mark = ok ? page.paint('green', '✓ ') : page.paint('red', '✗ ');
      page.line(`${i === 0 ? mark : ' '.repeat(MARK_WIDTH)}${line}`);
    }
  },
};

const SEEN = {
  model_was_asked:
    'The model has been asked and has not answered: the worker is in the middle of the call.',
  worker_is_busy: 'The worker is busy with the call.',
} as const satisfies Record<Told<'in_flight'>['seen'], string>;

const MARK_WIDTH = 2;
const MS_WIDTH = 7;
const CLOCK_WIDTH = 9;
const MOMENT_WIDTH = 22;

interface Moment {
  readonly atMs: number;
  readonly what: string;
  readonly text: string;
  readonly aside?: string;
  readonly style?: Style;
}

/** One line of the time line that starts with the SIGKILL. */
function writeMoment(page: Page, { atMs, what, text, ...look }: Moment): void {
  const label = `${inMs(atMs).padStart(CLOCK_WIDTH)}  ${what}`;
  page.entry(label, text, { ...look, labelWidth: MOMENT_WIDTH });
}

const TREE_WIDTH = 24;
const KIND_WIDTH = 12;
const STATE_WIDTH = 10;
const EPOCH_WIDTH = 9;

function drawTree(page: Page, node: TreeNode, lead = '', branch = ''): void {
  const { id, kind, state, epoch, pid, children } = node;
  const name = `${lead}${branch}${id}`.padEnd(TREE_WIDTH);
  const shownState = page.paint(state === 'ready' ? 'green' : 'red', state.padEnd(STATE_WIDTH));
  const life = `epoch ${epoch}`.padEnd(EPOCH_WIDTH) + (pid === undefined ? '' : pidText(pid));
  page.line(`  ${name}${kind.padEnd(KIND_WIDTH)}${shownState}${life}`);
  const deeper = branch === '' ? '' : branch.startsWith('├') ? '│  ' : '   ';
  for (const [i, child] of children.entries()) {
    drawTree(page, child, `${lead}${deeper}`, i === children.length - 1 ? '└─ ' : '├─ ');
  }
}

function seatText({ workerId, pid, epoch }: Seat): string {
  return `${workerId}, ${pidText(pid)}, epoch ${epoch}`;
}

function pidText(pid: number | undefined): string {
  return `pid ${pid ?? 'none'}`;
}

function inMs(ms: number): string {
  return `${Math.round(ms)} ms`;
}
