// What does docs/lifecycles.md say? The machines as diagrams and tables, and one sentence of meaning for each state.
import type { AnyStateMachine, AnyStateNode } from 'xstate';

import { breakerMachine } from '../../actors/breaker/breaker.machine.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { LIFECYCLE_STATES } from '../../actors/lifecycle/child.ts';
import { lifecycleMachine } from '../../actors/lifecycle/lifecycle.machine.ts';
import { cancellationMachine } from '../../actors/worker/cancellation.machine.ts';
import { livenessMachine } from '../../actors/worker/liveness.machine.ts';
import { lifecycleStateOf } from '../../actors/worker/worker-state.ts';
import { workerMachine } from '../../actors/worker/worker.machine.ts';
import { zygoteMachine } from '../../actors/worker/zygote.machine.ts';
import { bridgeRegistryMachine } from '../../supervisors/bridge-registry.machine.ts';
import { poolMachine } from '../../supervisors/pool/pool.machine.ts';
import { supervisorMachine } from '../../supervisors/supervisor.machine.ts';
import { delaysOf, effectiveEdges, statesOf, type Delay, type Edge } from './machine-graph.ts';
import {
  BREAKER_MEANINGS,
  CANCELLATION_MEANINGS,
  LIFECYCLE_MEANINGS,
  LIVENESS_MEANINGS,
  POOL_MEANINGS,
  REGISTRY_MEANINGS,
  SUPERVISOR_MEANINGS,
  WORKER_MEANINGS,
  WORKER_WORDS,
  ZYGOTE_MEANINGS,
  type Meanings,
} from './meanings.ts';
import { drawCollapsed, drawMachine } from './mermaid.ts';

const WORKER_INPUT = { epoch: 1, startTimeoutMs: LIMITS.startTimeoutMs };
const LIVENESS_INPUT = {
  missesMax: LIMITS.heartbeatMissesMax,
  gilHoldMsMax: LIMITS.gilHoldMsMax,
  dumpMs: LIMITS.dumpMs,
};
const CANCELLATION_INPUT = {
  mode: 'sync',
  budgets: {
    flagMs: LIMITS.cancelFlagMs,
    raiseMs: LIMITS.cancelRaiseMs,
    interruptMs: LIMITS.cancelInterruptMs,
    drainMs: LIMITS.cancelDrainMs,
  },
};
const BREAKER_INPUT = {
  failureThreshold: LIMITS.breakerFailureThreshold,
  successThreshold: LIMITS.breakerSuccessThreshold,
  openMs: LIMITS.breakerOpenMs,
  halfOpenCallsMax: LIMITS.breakerHalfOpenCallsMax,
  probeTimeoutMs: LIMITS.breakerProbeTimeoutMs,
};
const POOL_INPUT = { reopenMs: LIMITS.breakerOpenMs };
const SUPERVISOR_INPUT = {
  bounds: { maxRestarts: LIMITS.maxRestarts, periodMs: LIMITS.periodMs, autoShutdown: 'never' },
};

/** The worker at the level of the states that every child has: the picture for the README. */
export function drawLifecycle(): string {
  const context = contextOf(workerMachine, WORKER_INPUT) as never;
  return drawCollapsed(
    workerMachine,
    (state) => lifecycleStateOf(workerMachine.resolveState({ value: valueOf(state), context })),
    wordsOf,
  );
}

export function lifecyclesDocument(): string {
  return [
    '# Lifecycles',
    'Written by `npm run docs` from the machines themselves; `npm run docs -- --check` says whether it still is what they are.\n' +
      'Change the machine, or the sentences in `test/docs/meanings.ts`, not this file.',
    '## What every child looks like from outside',
    `A supervisor, the router and a user see ${LIFECYCLE_STATES.length} states: ${LIFECYCLE_STATES.map(code).join(', ')}.`,
    fenced(drawLifecycle()),
    ...machineSection('The worker machine', 'actors/worker/worker.machine.ts', {
      machine: workerMachine,
      input: WORKER_INPUT,
      meanings: WORKER_MEANINGS,
    }),
    ...machineSection('The machine that watches a worker', 'actors/worker/liveness.machine.ts', {
      machine: livenessMachine,
      input: LIVENESS_INPUT,
      meanings: LIVENESS_MEANINGS,
    }),
    ...machineSection('The machine that cancels a call', 'actors/worker/cancellation.machine.ts', {
      machine: cancellationMachine,
      input: CANCELLATION_INPUT,
      meanings: CANCELLATION_MEANINGS,
    }),
    ...machineSection('The zygote machine', 'actors/worker/zygote.machine.ts', {
      machine: zygoteMachine,
      input: WORKER_INPUT,
      meanings: ZYGOTE_MEANINGS,
    }),
    ...machineSection('The machine of every other child', 'actors/lifecycle/lifecycle.machine.ts', {
      machine: lifecycleMachine,
      input: WORKER_INPUT,
      meanings: LIFECYCLE_MEANINGS,
    }),
    ...machineSection('The supervisor machine', 'supervisors/supervisor.machine.ts', {
      machine: supervisorMachine,
      input: SUPERVISOR_INPUT,
      meanings: SUPERVISOR_MEANINGS,
    }),
    ...machineSection('The circuit breaker of a pool', 'actors/breaker/breaker.machine.ts', {
      machine: breakerMachine,
      input: BREAKER_INPUT,
      meanings: BREAKER_MEANINGS,
    }),
    ...machineSection('The pool machine', 'supervisors/pool/pool.machine.ts', {
      machine: poolMachine,
      input: POOL_INPUT,
      meanings: POOL_MEANINGS,
    }),
    ...machineSection('The registry of bridges', 'supervisors/bridge-registry.machine.ts', {
      machine: bridgeRegistryMachine,
      input: undefined,
      meanings: REGISTRY_MEANINGS,
    }),
    '## How to read it',
    'An event moves the innermost state that accepts it; `[…]` is a guard, and when it says no the states around are asked. ' +
      'An arrow to the same state acts without leaving it.\n' +
      '"Ignores" lists what a state turns down although the states around it would take it; an event that stands in neither column changes nothing. ' +
      'Times are defaults.',
  ]
    .join('\n\n')
    .concat('\n');
}

interface Described {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  readonly meanings: Meanings;
}

function machineSection(title: string, file: string, described: Described): readonly string[] {
  const { machine, input, meanings } = described;
  const delays = delaysOf(machine, contextOf(machine, input));
  const states = statesOf(machine.root as AnyStateNode);
  assertSameStates(machine.id, states, meanings);
  return [
    `## ${title}`,
    `Source: [\`${file}\`](../${file}).`,
    fenced(drawMachine(machine, delays)),
    table(states, meanings),
    ...(delays.length === 0 ? [] : [delayTable(delays)]),
  ];
}

function table(states: readonly AnyStateNode[], meanings: Meanings): string {
  const rows = states.map((state) => {
    const edges = effectiveEdges(state).filter(({ kind }) => kind === 'event');
    const accepts = triggersOf(edges.filter(({ isForbidden }) => !isForbidden));
    const ignores = triggersOf(edges.filter(({ isForbidden }) => isForbidden));
    const tags = state.tags.map(code).join(', ');
    return [code(pathOf(state)), tags, meanings[state.key] ?? '', accepts, ignores];
  });
  return rowsOf(['State', 'Tags', 'Meaning', 'Accepts', 'Ignores'], rows);
}

function delayTable(delays: readonly Delay[]): string {
  const rows = delays.map(({ name, defaultMs }) => [
    code(name),
    defaultMs === undefined ? 'given with the order' : `${defaultMs}`,
  ]);
  return rowsOf(['Delay', 'Default, ms'], rows);
}

function rowsOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function triggersOf(edges: readonly Edge[]): string {
  return [...new Set(edges.map(({ trigger }) => code(trigger)))].join(', ');
}

function assertSameStates(id: string, states: readonly AnyStateNode[], meanings: Meanings): void {
  const found = states.map(({ key }) => key);
  const described = Object.keys(meanings);
  const missing = found.filter((key) => !described.includes(key));
  const superfluous = described.filter((key) => !found.includes(key));
  if (missing.length === 0 && superfluous.length === 0) return;
  throw new Error(
    `meanings of the ${id} machine: missing [${missing.join(', ')}], without a state [${superfluous.join(', ')}]`,
  );
}

function wordsOf({ trigger, guard }: Edge): string {
  const words = WORKER_WORDS[guard === 'isBrutal' ? 'isBrutal' : trigger];
  if (words === undefined) throw new Error(`no words for ${trigger} of the worker machine`);
  return words;
}

function contextOf(machine: AnyStateMachine, input: unknown): unknown {
  const { context } = machine.config as { context: (given: object) => unknown };
  return context({ input });
}

/** The state's value as a snapshot has it, e.g. `{ incarnation: 'ready' }`. */
function valueOf(state: AnyStateNode): never {
  const [first, ...rest] = state.path.toReversed();
  return rest.reduce<unknown>((value, key) => ({ [key]: value }), first) as never;
}

function pathOf(state: AnyStateNode): string {
  return state.path.join('.');
}

function code(text: string): string {
  return `\`${text}\``;
}

function fenced(diagram: string): string {
  return ['```mermaid', diagram, '```'].join('\n');
}
