// What does `<bridge>.<operation> {json}` mean?
import { UsageError } from './usage-error.ts';

/** One call, as it was typed. */
export interface Target {
  readonly bridge: string;
  readonly op: string;
}

/** @throws {@link UsageError} when it is no such name. */
export function targetOf(text: string): Target {
  const dot = text.indexOf('.');
  const [bridge, op] = [text.slice(0, dot), text.slice(dot + 1)];
  if (dot < 1 || op === '')
    throw new UsageError(`${text} is no <bridge>.<operation>, such as dspy.ping`);
  return { bridge, op };
}

/** Arguments, which are an object, or one value for the first parameter. Nothing at all is no argument. */
export function argsOf(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`the arguments are no JSON: ${(error as Error).message}`);
  }
}
