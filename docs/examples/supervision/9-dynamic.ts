// How are children supervised that come and go? By a dynamic supervisor, or as many copies of one template.
import assert from 'node:assert/strict';
import { fromCallback, setup } from 'xstate';

import {
  dynamicSupervisor,
  DynamicSupervisorHandle,
  handleOf,
  startDynamicSupervisor,
  startSupervisor,
  whereis,
} from '../../../src/otp.ts';

const room = setup({ types: { input: {} as { topic: string } } }).createMachine({
  initial: 'open',
  states: { open: { on: { close: 'closed' } }, closed: { type: 'final' } },
});

const rooms = await startDynamicSupervisor({ maxChildren: 2 });
const first = await rooms.startChild({
  start: room,
  input: { topic: 'boats' },
  restart: 'transient',
});
const second = await rooms.startChild({
  start: room,
  input: { topic: 'tides' },
  restart: 'transient',
});
assert.ok(first !== 'ignore' && first.child !== undefined);
assert.ok(second !== 'ignore' && second.child !== undefined);
await assert.rejects(rooms.startChild({ start: room, input: { topic: 'ropes' } }), {
  code: 'max_children',
});

first.child.send({ type: 'close' }); // ends by itself, and is forgotten
await rooms.terminateChild(second.child); // is ended, and forgotten
const { active } = await rooms.countChildren();
console.log(`rooms left: ${active}`);
assert.equal(active, 0);
await rooms.stop();

// As a child of another supervisor it is found by its name.
const top = await startSupervisor({
  children: [{ id: 'rooms', start: dynamicSupervisor({ name: 'rooms' }) }],
});
const found = handleOf(whereis('rooms'));
assert.ok(found instanceof DynamicSupervisorHandle);
await found.startChild({ start: room, input: { topic: 'knots' } });
assert.equal((await found.countChildren()).active, 1);
await top.stop();

// OTP's older form: one template, and only what differs is given.
const page = fromCallback<{ type: 'none' }, object>(({ input }) => console.log(input));
const pages = await startSupervisor({
  strategy: 'simple_one_for_one',
  children: [{ id: 'page', start: page, input: { width: 80 }, restart: 'temporary' }],
});
const { child } = await pages.startChild({ height: 24 });
assert.ok(child !== undefined);
await pages.terminateChild(child); // by its reference: there are no ids
await pages.stop();
