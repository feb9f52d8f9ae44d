// What becomes of a process in which an actor does not deal with a call that fails? One line of JSON for each way to fail.
import { fromCallback, type AnyActorLogic } from 'xstate';

import { CallExitError } from '../../../actors/lifecycle/call-exit.ts';
import { self } from '../../../actors/lifecycle/self.ts';
import { call, monitor } from '../../../supervisors/messages.ts';
import { startSupervisor } from '../../../supervisors/start-supervisor.ts';
import { System } from '../../../supervisors/system.ts';

const DEAF = 'deaf';
const MORTAL = 'mortal';

/** Each way in which a call can fail, of which nobody hears. */
const WAYS: Readonly<Record<string, () => unknown>> = {
  timeout: () => call(DEAF, { type: 'hello' }, { timeoutMs: 5 }),
  noproc: () => call('nobody', { type: 'hello' }),
  calling_self: () => call(self()!, { type: 'hello' }),
  exit: () => call(MORTAL, { type: 'die' }),
  aborted: () => {
    const controller = new AbortController();
    const pending = call(DEAF, { type: 'hello' }, { signal: controller.signal });
    controller.abort();
    return pending;
  },
  'timeout, awaited': async () => {
    await Promise.resolve();
    await call(DEAF, { type: 'hello' }, { timeoutMs: 5 });
  },
};

const caller = (way: () => unknown): AnyActorLogic => fromCallback(() => void way());
const mortal = fromCallback(({ receive }) => {
  receive(() => {
    throw new Error('died');
  });
});

for (const [way, act] of Object.entries(WAYS)) {
  const system = new System();
  const sup = await startSupervisor(
    {
      children: [
        { id: DEAF, name: DEAF, start: fromCallback(() => undefined) },
        { id: MORTAL, name: MORTAL, start: mortal, restart: 'temporary' },
        { id: 'caller', start: caller(act), restart: 'temporary' },
      ],
    },
    { system },
  );
  const { child } = await sup.whichChild('caller');
  if (child === undefined || child === 'restarting') throw new Error('it did not start');
  const reason = await new Promise<unknown>((resolve) => {
    monitor(child, (down) => resolve(down.reason));
  });
  const { error } = reason as { readonly error?: unknown };
  const code = error instanceof CallExitError ? error.code : String(error);
  const deaf = system.whereis(DEAF)?.epoch;
  process.stdout.write(`${JSON.stringify({ way, code, deaf })}\n`);
  await sup.stop();
}
