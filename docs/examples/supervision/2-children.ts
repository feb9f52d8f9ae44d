// What can be a child, when is it ready, and how does it end? Logic, a start function, and a supervisor, in one tree.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromCallback, fromPromise, setup } from 'xstate';

import {
  defaultSystem,
  exit,
  formatExitReason,
  startSupervisor,
  supervisor,
  type StartContext,
  type Started,
} from '../../../src/otp.ts';

defaultSystem().on('child.ready', ({ path }) => console.log(`${path} is ready`));
defaultSystem().on('child.stopped', ({ path, reason }) => {
  console.log(`${path} stopped: ${formatExitReason(reason)}`);
});

// Logic. It is ready when it has left the states with the tag `starting`.
const dictionary = setup({
  actors: { load: fromPromise(async () => ['anchor', 'buoy']) },
}).createMachine({
  initial: 'loading',
  states: {
    loading: { tags: 'starting', invoke: { src: 'load', onDone: 'loaded' } },
    // Handling this event is all that it takes to be asked before one is stopped.
    loaded: { on: { 'caduceus.shutdown': 'closed' } },
    closed: { type: 'final' },
  },
  output: () => exit('shutdown'), // why it ended; without this line it would be `normal`
});

// A start function: opens what the child needs, then says which logic runs.
async function listen({ greeting }: { greeting: string }, { signal }: StartContext) {
  const server = createServer((_request, response) => response.end(greeting));
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening', { signal });
  return {
    logic: watch,
    input: server,
    info: (server.address() as AddressInfo).port,
    cleanUp: () => new Promise((resolve) => server.close(resolve)),
  } satisfies Started;
}

const watch = fromCallback<{ type: 'unused' }, Server>(({ input: server }) => {
  server.on('error', (error) => {
    throw error; // in whatever callback it is thrown: this child crashes, not the program
  });
});

const top = await startSupervisor({
  name: 'top',
  children: [
    { id: 'dictionary', start: dictionary },
    {
      id: 'tools',
      start: supervisor({ children: [{ id: 'idle', start: fromCallback(() => undefined) }] }),
    },
  ],
});
const { info: port } = await top.startChild({
  id: 'http',
  start: listen,
  input: { greeting: 'ahoy' },
});
const answer = await fetch(`http://127.0.0.1:${String(port)}`, {
  headers: { connection: 'close' },
});
console.log(await answer.text());
await top.stop();

await assert.rejects(fetch(`http://127.0.0.1:${String(port)}`));
