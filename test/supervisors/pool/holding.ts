// How does a test hold a worker, and what does it look at meanwhile?
import type { RouterStatistics } from '../../../supervisors/pool/router-types.ts';
import type { Holding, Routed } from './routed.ts';

export const gaugesOf = ({ router }: Routed): RouterStatistics['gauges'] =>
  router.statistics().gauges;
export const countersOf = ({ router }: Routed): RouterStatistics['counters'] =>
  router.statistics().counters;

export async function held(setup: Routed, wanted = {}): Promise<Holding> {
  const holding = setup.checkout(wanted);
  await setup.done();
  return holding;
}

export const pidOf = (setup: Routed, holding: Holding): number => {
  const { workerId } = holding.checkout().worker!;
  return setup.worker(Number(workerId.split('/')[1])).pid!;
};

export const codeOf = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
  return 'nothing was thrown';
};
