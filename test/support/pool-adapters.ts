// What may a runtime be told of `pool_bridge.py`? Three adapters, which differ in how its sessions are kept.
import { defineAdapter, type Adapter } from '../../src/index.ts';

const key = (args: Readonly<Record<string, unknown>>): string => String(args['id']);

const OPERATIONS: Adapter['operations'] = {
  ...Object.fromEntries(
    ['hold', 'work', 'seen', 'dump', 'load', 'forget', 'grow', 'exit', 'fail'].map((op) => [
      op,
      {},
    ]),
  ),
  ...Object.fromEntries(['who', 'get', 'settings'].map((op) => [op, { idempotent: true }])),
  exit_once: { idempotent: true },
  setup: { change: 'configure', secrets: ['api_key'] },
  put: { change: 'create', key },
  add: { change: 'update', key },
  drop: { change: 'delete', key },
};

/** Its sessions are rebuilt by their journals. */
export const poolAdapter = defineAdapter({
  framework: 'pool',
  operations: OPERATIONS,
  roles: { configure: 'setup', create: 'put', forget: 'forget' },
});

/** And by snapshots of what they hold. */
export const snapshotAdapter = defineAdapter({
  ...poolAdapter,
  roles: { ...poolAdapter.roles, snapshot: 'dump', restore: 'load' },
});

/** Nothing is said of what changes state: what a worker holds is gone with it. */
export const forgetfulAdapter = defineAdapter({ framework: 'pool', operations: {} });
