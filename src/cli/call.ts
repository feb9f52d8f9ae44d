// `caduceus call`: how is one operation run from a shell?
import { text } from 'node:stream/consumers';

import type { CallOptions } from '../calls/call-options.ts';
import { openWorkplace, showOutput, startOne, type ConfigOptions } from './open.ts';
import { errorJson, errorText, valueText } from './show.ts';
import { argsOf, targetOf } from './target.ts';
import type { Terminal } from './terminal.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, UsageError } from './usage-error.ts';

export interface CallCommandOptions extends ConfigOptions {
  readonly session?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly stream?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Start the bridge, run the operation, print what it gives, and stop.
 * @param args JSON; `-` reads it from the input.
 * @returns the status of the command.
 */
export async function callCommand(
  terminal: Terminal,
  name: string,
  args: string,
  options: CallCommandOptions,
): Promise<number> {
  const target = targetOf(name);
  const given = argsOf(args === '-' ? await text(terminal.input as NodeJS.ReadableStream) : args);
  const controller = new AbortController();
  const end = terminal.onInterrupt(() => controller.abort());
  const { session: sessionId, timeoutMs, json } = options;
  try {
    const workplace = await openWorkplace(options);
    await using runtime = await startOne(terminal, workplace, target.bridge, {
      signal: controller.signal,
    });
    showOutput(runtime, terminal);
    const handle = runtime.pool(target.bridge);
    const how: CallOptions = { sessionId, timeoutMs, signal: controller.signal };
    const show = (value: unknown): void => {
      terminal.output.write(`${valueText(value, { json, colors: terminal.output.isTTY })}\n`);
    };
    if (options.stream === true) {
      for await (const item of handle.stream(target.op, given, how)) show(item);
    } else {
      show(await handle.call(target.op, given, how));
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    terminal.errors.write(`${json === true ? errorJson(error) : errorText(error)}\n`);
    return controller.signal.aborted ? EXIT_INTERRUPTED : EXIT_FAILED;
  } finally {
    end();
  }
}
