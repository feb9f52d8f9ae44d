// Do whole supervision trees keep OTP's promises, whatever happens in whatever order? The real machines and shells under virtual time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  EVENTS,
  shutdownBoundMs,
  TREE,
  TreeWorld,
  type Step,
  type TreeEvent,
  type TreePlan,
} from './tree-scenario.ts';
import { RUNS, SEED } from './chosen-plans.ts';

const OPTIONS = { numRuns: RUNS, seed: SEED };
const TIMEOUT_MS = 180_000;

describe('a supervision tree', () => {
  it(
    'never allows more restarts than its intensity in any window',
    () => {
      fc.assert(
        fc.property(TREE, EVENTS, (plan, events) => {
          const world = runAll(plan, events);
          const restarts = world.decisions.filter(({ verdict }) => verdict === 'restart');
          for (const last of restarts) {
            const inWindow = restarts.filter(
              ({ supervisor, incarnation, atMs }) =>
                supervisor === last.supervisor &&
                incarnation === last.incarnation &&
                atMs <= last.atMs &&
                last.atMs - atMs <= last.periodMs,
            );
            expect(inWindow.length).toBeLessThanOrEqual(last.maxRestarts);
          }
        }),
        OPTIONS,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'runs exactly what stands in it: nothing twice, nothing that its supervisor does not hold, nothing after its stop',
    () => {
      fc.assert(
        fc.property(TREE, EVENTS, (plan, events) => {
          const world = new TreeWorld(plan);
          for (const event of events) {
            world.happen(event);
            expect(runningIn(world)).toEqual(upIn(world));
          }
          world.stop();
          expect([runningIn(world), world.exitReason === undefined]).toEqual([[], false]);
          // Whatever was still on its way (retries, timers) finds nobody.
          world.clock.advance(10_000);
          expect([runningIn(world), world.clock.pending]).toEqual([[], 0]);
        }),
        OPTIONS,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'stops within the sum of its shutdown times, though children ignore what they are told',
    () => {
      fc.assert(
        fc.property(TREE, EVENTS, (plan, events) => {
          const world = new TreeWorld(plan);
          for (const event of events) world.happen(event);
          if (world.exitReason !== undefined) return;
          expect(world.stop()).toBeLessThanOrEqual(shutdownBoundMs(plan));
          expect(world.exitReason).toEqual({ type: 'shutdown' });
        }),
        OPTIONS,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'starts in order and stops in reverse: those and only those that the decision names',
    () => {
      fc.assert(
        fc.property(TREE, EVENTS, (plan, events) => {
          const world = runAll(plan, events);
          world.steps.forEach((step, index) => {
            if (step.decision?.verdict !== 'restart') return;
            const after = followingSteps(world.steps, index);
            const { starts: announced, stops } = step.decision;
            const isAsked = (id: string): boolean =>
              step.path === 'root' && world.restartsAsked.has(id);
            const starts = idsOf(after, 'starting', step.path).filter(
              (id) => announced.includes(id) || !isAsked(id),
            );
            // A start that fails, or a stop of all, cuts the list; it never reorders it.
            expect(starts).toEqual(announced.filter((id) => starts.includes(id)));
            const stopping = untilStart(after, step.path);
            const ends = idsOf(stopping, 'ended', step.path).filter((id) => stops.includes(id));
            expect(ends).toEqual(stops.filter((id) => ends.includes(id)));
          });
        }),
        OPTIONS,
      );
    },
    TIMEOUT_MS,
  );
});

function runAll(plan: TreePlan, events: readonly TreeEvent[]): TreeWorld {
  const world = new TreeWorld(plan);
  for (const event of events) world.happen(event);
  world.stop();
  return world;
}

function runningIn(world: TreeWorld): readonly string[] {
  return [...world.running]
    .flatMap(([path, count]) => Array.from({ length: count }, () => path))
    .sort();
}

function upIn(world: TreeWorld): readonly string[] {
  return world
    .workers()
    .filter(({ ref }) => ref.exitReason === undefined)
    .map(({ ref }) => ref.path)
    .sort();
}

/** Up to the next decision of this supervisor or of one above it, its end, or the next call. */
function followingSteps(steps: readonly Step[], index: number): readonly Step[] {
  const path = steps[index]!.path;
  const rest = steps.slice(index + 1);
  const end = rest.findIndex(
    (step) =>
      step.what === 'called' ||
      (step.what === 'over' && step.path === path) ||
      (step.what === 'decided' && (step.path === path || path.startsWith(`${step.path}/`))),
  );
  return end === -1 ? rest : rest.slice(0, end);
}

/** What comes before the first start of a direct child: the group is being stopped. */
function untilStart(steps: readonly Step[], path: string): readonly Step[] {
  const first = steps.findIndex(
    (step) => step.what === 'starting' && idsOf([step], 'starting', path).length > 0,
  );
  return first === -1 ? steps : steps.slice(0, first);
}

/** Direct children of the supervisor to which this happened, in order, each the first time. */
function idsOf(steps: readonly Step[], what: Step['what'], path: string): readonly string[] {
  const prefix = `${path}/`;
  const ids = steps
    .filter((step) => step.what === what && step.path.startsWith(prefix))
    .map((step) => step.path.slice(prefix.length))
    .filter((id) => !id.includes('/'));
  return [...new Set(ids)];
}
