import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromCallback } from 'xstate';
import { lifecycleStart } from '../../actors/lifecycle/child.ts';
import { makeVia } from '../../actors/lifecycle/names.ts';
import { checkChildSpec, checkChildSpecs, isWholeFrom } from '../../supervisors/check-spec.ts';
import type { ChildSpec, FullChildSpec } from '../../supervisors/child-spec.ts';
import { BadChildSpecError, type SpecProblem } from '../../supervisors/supervision-errors.ts';
import type { AutoShutdown } from '../../supervisors/supervisor-flags.ts';

const start = fromCallback(() => undefined);
const VIA = makeVia({
  ...{ label: 'elsewhere', whereis: () => undefined, claim: () => undefined },
  ...{ bind: () => undefined, release: () => undefined },
});
const noLife = () => {
  throw new Error('not started here');
};

/** The finding, as problem, field and whole text. */
function findingOf(check: () => unknown) {
  try {
    check();
  } catch (error) {
    if (!(error instanceof BadChildSpecError)) throw error;
    return { problem: error.problem, field: error.field, text: error.message, value: error.value };
  }
  return undefined;
}

const finding = (spec: unknown, autoShutdown: AutoShutdown = 'any_significant') =>
  findingOf(() => checkChildSpec(spec, 'spec', autoShutdown));

const checked = (more: Partial<ChildSpec>, autoShutdown: AutoShutdown = 'any_significant') =>
  checkChildSpec({ id: 'a', start, ...more }, 'spec', autoShutdown);

describe('a child specification', () => {
  it.each([
    ['XState logic', start],
    ['a start function', () => 'ignore'],
    ['a start that makes its own lifecycle', lifecycleStart('worker', () => noLife)],
  ] as const)('may start %s', (_what, given) => {
    expect(checked({ start: given })).toMatchObject({ id: 'a', start: given });
  });

  it('comes back with all defaults, its type from its start', () => {
    const given = lifecycleStart('supervisor', () => noLife);
    const full: Partial<FullChildSpec> = {
      ...{ restart: 'permanent', significant: false, shutdown: 'infinity', type: 'supervisor' },
      ...{ ack: 'ready', startTimeoutMs: 60_000, input: undefined },
      maxConsecutiveStartFailures: Number.POSITIVE_INFINITY,
    };
    expect(checked({ start: given })).toEqual({ id: 'a', start: given, ...full });
  });

  it.each([
    { restart: 'permanent' },
    { restart: 'transient' },
    { restart: 'temporary' },
    { significant: false },
    { significant: false, restart: 'permanent' },
    { significant: true, restart: 'transient' },
    { significant: true, restart: 'temporary' },
    { type: 'worker' },
    { type: 'supervisor' },
    { shutdown: 0 },
    { shutdown: 5 },
    { shutdown: 'brutal_kill' },
    { shutdown: 'infinity' },
    { ack: 'ready' },
    { ack: 'spawned' },
    { name: 'somebody' },
    { name: VIA },
    { startTimeoutMs: 1 },
    { maxConsecutiveStartFailures: 1 },
    { maxConsecutiveStartFailures: Number.POSITIVE_INFINITY },
    { isRetryable: () => true },
    { backoff: { minMs: 1, maxMs: 2 } },
    { input: 0 },
  ] as const)('may have %o', (more) => {
    expect(checked(more)).toMatchObject(more);
  });

  it('that is significant under `never` is refused for that first, whatever it is', () => {
    expect(finding({ id: 'a', start, significant: true }, 'never')).toEqual({
      problem: 'bad_combination',
      field: 'spec.significant',
      value: true,
      text: 'spec.significant: bad combination: a supervisor with autoShutdown never has no significant children, found true',
    });
  });

  it('that is not significant is right under `never`', () => {
    expect(checked({ significant: false, restart: 'transient' }, 'never').significant).toBe(false);
  });
});

describe('a wrong child specification is refused, and the error names the field:', () => {
  const of = (
    problem: SpecProblem,
    key: keyof ChildSpec,
    expected: string,
    values: readonly unknown[],
    beside: Partial<ChildSpec> = {},
  ) => values.map((value) => ({ problem, key, expected, value, beside }));
  const notAText = 'a text is expected';
  const anyStart = 'XState logic, a function, supervisor(…) or pythonWorker(…) is expected';

  it.each([
    ...of('missing_id', 'id', 'an id is needed', [undefined]),
    ...of('missing_start', 'start', 'a start is needed', [undefined]),
    ...of('invalid_id', 'id', notAText, ['', 7, null, {}]),
    ...of('invalid_start', 'start', anyStart, [null, 'run', 7, {}, { transition: () => 0 }]),
    ...of('invalid_restart_type', 'restart', 'permanent, transient or temporary is expected', [
      'always',
      null,
      '',
      true,
    ]),
    ...of('invalid_significant', 'significant', 'true or false is expected', ['yes', 1, null, 0]),
    ...of(
      'bad_combination',
      'significant',
      'a permanent child cannot be significant: its end is never final',
      [true],
    ),
    ...of(
      'bad_combination',
      'significant',
      'a permanent child cannot be significant: its end is never final',
      [true],
      { restart: 'permanent' },
    ),
    ...of('invalid_child_type', 'type', 'worker or supervisor is expected', ['boss', null, '']),
    ...of('invalid_shutdown', 'shutdown', 'ms from 0, brutal_kill or infinity is expected', [
      -1,
      0.5,
      'soon',
      Number.POSITIVE_INFINITY,
      Number.NaN,
      null,
    ]),
    ...of('invalid_ack', 'ack', 'ready or spawned is expected', ['soon', null, '']),
    ...of('invalid_name', 'name', 'a text, or a name made with via, is expected', [
      '',
      7,
      null,
      {},
    ]),
    ...of('invalid_start_timeout', 'startTimeoutMs', 'whole ms from 1 are expected', [
      0,
      -1,
      1.5,
      Number.POSITIVE_INFINITY,
      '5',
      null,
    ]),
    ...of(
      'invalid_max_start_failures',
      'maxConsecutiveStartFailures',
      'a whole number from 1 is expected',
      [0, -1, 1.5, Number.NEGATIVE_INFINITY, '3', null],
    ),
    ...of('invalid_is_retryable', 'isRetryable', 'a function is expected', [true, null, 'yes']),
    ...of('invalid_backoff', 'backoff', 'minMs above 0 is expected', [{ minMs: 0, maxMs: 1 }]),
    ...of('invalid_backoff', 'backoff', '{ minMs, maxMs } is expected', [null, 7]),
  ])('$problem in $key: $value', ({ problem, key, expected, value, beside }) => {
    const found = finding({ id: 'a', start, ...beside, [key]: value });
    expect(found).toMatchObject({ problem, field: `spec.${key}`, value });
    const words = problem.replaceAll('_', ' ');
    expect(found?.text.startsWith(`spec.${key}: ${words}: ${expected}, found `)).toBe(true);
  });

  it.each([
    [null, 'null'],
    [undefined, 'nothing'],
    [7, '7'],
    ['a', '"a"'],
    [[], '[]'],
    [() => 'ignore', 'a function'],
  ])('one that is none at all: %o', (spec, found) => {
    const text = `spec: invalid child spec: an object is expected, found ${found}`;
    expect(finding(spec)).toMatchObject({ problem: 'invalid_child_spec', field: 'spec', text });
  });
  it.each([
    ['XState logic', start],
    ['a lifecycle of its own kind', lifecycleStart('worker', noLife)],
  ])('is not its start alone: %s', (_what, alone) => {
    expect(findingOf(() => checkChildSpec(alone, 'spec', 'never'))).toMatchObject({
      problem: 'invalid_child_spec',
      field: 'spec',
      text: expect.stringContaining(
        'spec: invalid child spec: a start is no specification yet: { id, start } is expected, found',
      ) as string,
    });
  });

  it('a key that is not known, with those that are', () => {
    expect(finding({ id: 'a', start, restrat: 'transient' })).toEqual({
      ...{ problem: 'unknown_key', field: 'spec.restrat', value: 'transient' },
      text:
        'spec.restrat: unknown key: known are id, start, input, restart, significant, shutdown, type, ack, ' +
        'name, startTimeoutMs, maxConsecutiveStartFailures, isRetryable, backoff, found "transient"',
    });
  });
});

describe('of several findings', () => {
  /** Every one of these is wrong; in the order in which OTP looks, then ours. */
  const WRONG: readonly (readonly [SpecProblem, Readonly<Record<string, unknown>>])[] = [
    ['missing_id', { id: undefined }],
    ['missing_start', { start: undefined }],
    ['invalid_restart_type', { restart: 'always' }],
    ['invalid_significant', { significant: 'yes' }],
    ['invalid_child_type', { type: 'boss' }],
    ['invalid_shutdown', { shutdown: -1 }],
    ['invalid_ack', { ack: 'soon' }],
    ['invalid_name', { name: '' }],
    ['invalid_start_timeout', { startTimeoutMs: 0 }],
    ['invalid_max_start_failures', { maxConsecutiveStartFailures: 0 }],
    ['invalid_is_retryable', { isRetryable: 7 }],
    ['invalid_backoff', { backoff: 7 }],
    ['unknown_key', { colour: 'red' }],
  ];

  it("the first in OTP's order is named", () => {
    fc.assert(
      fc.property(fc.subarray([...WRONG], { minLength: 1 }), (wrong) => {
        const fields = wrong.flatMap(([, more]) => Object.entries(more));
        const spec = { id: 'a', start, ...Object.fromEntries(fields) };
        expect(finding(spec)?.problem).toBe(wrong[0]?.[0]);
      }),
    );
  });
});

describe('a list of child specifications', () => {
  const a = { id: 'a', start };
  const b = { id: 'b', start };

  it('is given back in order, with all defaults', () => {
    expect(checkChildSpecs([b, a]).map(({ id, restart }) => [id, restart])).toEqual([
      ['b', 'permanent'],
      ['a', 'permanent'],
    ]);
    expect(checkChildSpecs([])).toEqual([]);
  });

  it('is refused when an id comes twice, which the error names', () => {
    expect(findingOf(() => checkChildSpecs([a, b, a]))).toEqual({
      ...{ problem: 'duplicate_child_name', field: 'children[2].id', value: 'a' },
      text: 'children[2].id: duplicate child name: ids are unique, found "a"',
    });
  });

  it('names the place of the one that is wrong', () => {
    const wrong = { id: 'b', start, shutdown: -1 };
    expect(findingOf(() => checkChildSpecs([a, wrong]))).toMatchObject({
      problem: 'invalid_shutdown',
      field: 'children[1].shutdown',
    });
  });

  it('that is no list is refused', () => {
    expect(findingOf(() => checkChildSpecs({} as never))).toEqual({
      ...{ problem: 'invalid_child_spec', field: 'children', value: {} },
      text: 'children: invalid child spec: an array is expected, found {}',
    });
  });

  it('is judged for a supervisor with `never`, unless another is named', () => {
    const significant: ChildSpec = { id: 'a', start, restart: 'transient', significant: true };
    expect(findingOf(() => checkChildSpecs([significant]))?.problem).toBe('bad_combination');
    expect(checkChildSpecs([significant], 'any_significant')[0]?.significant).toBe(true);
    expect(checkChildSpecs([significant], 'all_significant')[0]?.significant).toBe(true);
  });
});

describe('a whole number', () => {
  it.each([
    [0, 0, true],
    [1, 1, true],
    [5, 1, true],
    [0, 1, false],
    [-1, 0, false],
    [0.5, 0, false],
    [2 ** 53, 0, false],
    [Number.NaN, 0, false],
    [Number.POSITIVE_INFINITY, 0, false],
    ['5', 0, false],
    [undefined, 0, false],
  ])('is %o, from %i on: %s', (value, min, is) => {
    expect(isWholeFrom(value, min)).toBe(is);
  });
});
