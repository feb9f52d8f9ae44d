// Who answers the questions, and how do we know that it has been asked? The local model, or one that the user named.
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { DspyConfig } from '../../src/index.ts';
import { startLocalModel, type LocalModel } from '../../src/testing/index.ts';
import type { RemoteModel } from './options.ts';

/** A call that is under way in a worker. */
export interface CallUnderWay {
  readonly question: string;
  readonly isWorkerBusy: () => boolean;
  readonly signal: AbortSignal;
}

/** A model that answers, and the fact that a call has reached it. */
export interface AnsweringModel extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  readonly config: DspyConfig;
  readonly seen: 'model_was_asked' | 'worker_is_busy';
  /** The next prompt with this question is not answered in time; how could it be cut off for sure otherwise? */
  keepWaiting(question: string): void;
  /** Settles once the call is in the middle of its work. */
  isInTheMiddle(call: CallUnderWay): Promise<void>;
}

const WAIT_MS = 30_000;

export async function openModel(remote: RemoteModel | undefined): Promise<AnsweringModel> {
  return remote === undefined ? localModel(await startLocalModel()) : remoteModel(remote);
}

function localModel(model: LocalModel): AnsweringModel {
  let earlier: ReadonlySet<object> = new Set();
  return {
    name: `the local model at ${model.baseUrl}, which works by rules: it quotes the text and does sums, and is no neural network`,
    config: { model: 'openai/local', apiBase: model.baseUrl, apiKey: 'none', cache: false },
    seen: 'model_was_asked',
    keepWaiting: (question) => {
      earlier = new Set(model.requests);
      model.inject({ kind: 'hang', match: { contains: question } });
    },
    isInTheMiddle: async ({ question, signal }) => {
      const wanted = { matching: question, timeoutMs: WAIT_MS, signal };
      // The same question may have been asked before: that request is not the one.
      let request = await model.nextRequest(wanted);
      while (earlier.has(request)) request = await model.nextRequest(wanted);
    },
    [Symbol.asyncDispose]: () => model.close(),
  };
}

function remoteModel({ model, apiBase, apiKey }: RemoteModel): AnsweringModel {
  const config: DspyConfig = { model, apiKey, cache: false };
  return {
    name: apiBase === undefined ? model : `${model} at ${apiBase}`,
    config: apiBase === undefined ? config : { ...config, apiBase },
    seen: 'worker_is_busy',
    keepWaiting: () => undefined,
    isInTheMiddle: async ({ isWorkerBusy, signal }) => {
      while (!isWorkerBusy()) {
        signal.throwIfAborted();
        await nextTurn();
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
