// Whom do the tests of references, calls and monitors talk to? Actors that do what they are told, in one supervisor in virtual time.
import { fromCallback } from 'xstate';

import { reply, type From } from '../../../actors/lifecycle/from.ts';
import type { ActorEvent, ActorRef } from '../../../actors/lifecycle/ref.ts';
import type { ChildSpec } from '../../../supervisors/child-spec.ts';
import { stage, type Stage } from '../../conformance/stage.ts';

/** An event for a doer: it runs `run` as its own code. */
export interface Job {
  readonly type: string;
  readonly run?: (from: From | undefined, event: Job) => unknown;
  readonly from?: From;
}

/** Does what it is told, and answers with what came of it; a job that throws is its crash. */
export const doer = fromCallback<Job>(({ receive }) => {
  receive((event) => {
    const result = event.run?.(event.from, event);
    if (result !== LATER) reply(event.from, result);
  });
});

/** What a job gives that answers later, or never. */
export const LATER = Symbol('later');

/** Functions, and no methods: tests take them out one by one. */
export interface Doers extends Pick<Stage, 'world' | 'sup'> {
  readonly one: ActorRef;
  readonly two: ActorRef;
  /** Run something as an actor's code. */
  readonly as: (ref: ActorRef, run: () => unknown) => unknown;
  /** Wait for the answer while no time passes. @throws the refusal. */
  readonly ask: <Value>(answer: Promise<Value>) => Promise<Value>;
  /** `startChild` of a child that does start. */
  readonly start: (spec: ChildSpec) => Promise<ActorRef>;
}

/** Two doers under one supervisor, never restarted. */
export async function doers(): Promise<Doers> {
  const made = await stage({
    children: ['one', 'two'].map((id) => ({ id, start: doer, restart: 'temporary' as const })),
  });
  const [one, two] = await made.refs('one', 'two');
  if (one === undefined || two === undefined) throw new Error('a doer did not start');
  const as = (ref: ActorRef, run: () => unknown): unknown => {
    let result: unknown;
    const job: Job = { type: 'run', run: () => (result = run()) };
    ref.send(job);
    return result;
  };
  return {
    ...{ world: made.world, sup: made.sup, one, two, as },
    ask: (answer) => made.ask(answer),
    start: (spec) => made.start(spec),
  };
}

export function boom(): never {
  throw new Error('boom');
}

/** What a promise is rejected with, as it is now. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('was expected to be rejected');
}

/** What an actor is sent from now on. */
export function overheard(ref: ActorRef): readonly ActorEvent[] {
  const seen: ActorEvent[] = [];
  const send = ref.send.bind(ref);
  ref.send = (event) => {
    seen.push(event);
    send(event);
  };
  return seen;
}
