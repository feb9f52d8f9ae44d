// How does a pool of a test come back under its root? As the child that it was.
import type { PoolSetup } from '../../supervisors/pool/pool-types.ts';
import { checkChildSpec } from '../../supervisors/check-spec.ts';
import type { Supervisor } from '../../supervisors/supervisor.ts';

/** @param root asked for when a pool is to start again, so it may be made after it. */
export function underRoot(root: () => Supervisor): NonNullable<PoolSetup['startTree']> {
  return (spec, fail) => {
    const full = checkChildSpec(spec, 'pool', 'never');
    root().serve({ op: 'startChild', spec: full, settle: () => undefined, fail });
  };
}
