// What does whoever starts a tree learn when something deep in it does not start?
import { expect, it } from 'vitest';

import { startSupervisor, supervisor } from '../../supervisors/start-supervisor.ts';
import { virtualSystem } from '../support/virtual-system.ts';

it('is told which supervisor and child it was, and has the error at the bottom as its cause', async () => {
  const world = virtualSystem();
  const bottom = new Error('no database');
  const start = (): never => {
    throw bottom;
  };
  const inner = supervisor({ children: [{ id: 'cache', start }] });
  const began = startSupervisor({ name: 'app', children: [{ id: 'store', start: inner }] }, world);
  await expect(world.settled(began)).rejects.toMatchObject({
    code: 'failed_to_start_child',
    supervisor: 'app',
    child: 'store',
    cause: bottom,
    message: expect.stringMatching(/store.*failed to start child cache.*no database/u) as string,
  });
});
