// Where do the commands read and write? The port to the terminal; tests put streams of their own in its place.
import { systemClock, type Clock } from '../../actors/ground/clock.ts';

/** A terminal, or the files and pipes that stand for one. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** For results alone. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** For what is said beside them. */
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly clock: Clock;
  /** Call `fn` when the user has had enough (Ctrl-C, or an orderly end from outside). Returns the function that ends it. */
  onInterrupt(fn: () => void): () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The terminal of this process. */
export const systemTerminal: Terminal = {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  clock: systemClock,
  onInterrupt: (fn) => {
    for (const signal of SIGNALS) process.on(signal, fn);
    return () => {
      for (const signal of SIGNALS) process.off(signal, fn);
    };
  },
};

/** Between two looks at the time. */
const TICK_MS = 1_000;
const MS_PER_S = 1_000;
const CLEAR_LINE = '\r\u001B[K';

/** Do something that takes long, and say so meanwhile, with its time, where a person looks on. */
export async function withProgress<Result>(
  { errors, clock }: Terminal,
  what: string,
  act: () => Promise<Result>,
): Promise<Result> {
  if (errors.isTTY !== true) return act();
  const sinceMs = clock.nowMs();
  let timer: unknown;
  const show = (): void => {
    const seconds = Math.floor((clock.nowMs() - sinceMs) / MS_PER_S);
    errors.write(`${CLEAR_LINE}${what} …${seconds === 0 ? '' : ` ${seconds} s`}`);
    timer = clock.setTimeout(show, TICK_MS);
  };
  show();
  try {
    return await act();
  } finally {
    clock.clearTimeout(timer);
    errors.write(CLEAR_LINE);
  }
}
