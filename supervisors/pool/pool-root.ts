// How does a pool come back under its root? As the child that it was: `startTree` of a pool's setup.
import { checkChildSpec } from '../check-spec.ts';
import type { Supervisor } from '../supervisor.ts';
import type { PoolSetup } from './pool-types.ts';

/** @param root whose children the pools are; asked for when a pool is to start again, so it may be made after them. */
export function underRoot(root: () => Supervisor | undefined): NonNullable<PoolSetup['startTree']> {
  return (spec, failed) => {
    const supervisor = root();
    if (supervisor === undefined) {
      failed(new Error('there is no root yet'));
      return;
    }
    const settle = (): void => undefined;
    const full = checkChildSpec(spec, 'pool', supervisor.flags.autoShutdown);
    supervisor.serve({ op: 'startChild', spec: full, settle, fail: failed });
  };
}
