import { describe, expect, it } from 'vitest';
import { fromCallback } from 'xstate';
import { makeVia } from '../../actors/lifecycle/names.ts';
import {
  BadChildSpecError,
  BadSupervisorFlagsError,
} from '../../supervisors/supervision-errors.ts';
import {
  checkFlags,
  isByRef,
  type SupervisorExtras,
  type SupervisorFlags,
} from '../../supervisors/supervisor-flags.ts';

const start = fromCallback(() => undefined);
const VIA = makeVia({
  ...{ label: 'elsewhere', whereis: () => undefined, claim: () => undefined },
  ...{ bind: () => undefined, release: () => undefined },
});
const a = { id: 'a', start };

/** The finding, as problem, field, value and whole text. */
function finding(flags: unknown) {
  try {
    checkFlags(flags as SupervisorFlags);
  } catch (error) {
    if (!(error instanceof BadSupervisorFlagsError || error instanceof BadChildSpecError)) {
      throw error;
    }
    const { code, problem, field, value, message } = error;
    return { code, problem, field, value, text: message };
  }
  return undefined;
}

describe('supervisor flags', () => {
  it("have Elixir's defaults", () => {
    expect(checkFlags({})).toEqual({
      ...{ name: undefined, strategy: 'one_for_one', maxRestarts: 3, periodMs: 5_000 },
      ...{ autoShutdown: 'never', children: [], backoff: undefined },
      maxConcurrentStarts: Number.POSITIVE_INFINITY,
    });
  });

  it.each([
    { name: 'top' },
    { name: VIA },
    { strategy: 'one_for_one' },
    { strategy: 'one_for_all' },
    { strategy: 'rest_for_one' },
    { maxRestarts: 0 },
    { maxRestarts: 7 },
    { periodMs: 0.5 },
    { periodMs: 60_000 },
    { autoShutdown: 'never' },
    { autoShutdown: 'any_significant' },
    { autoShutdown: 'all_significant' },
    { maxConcurrentStarts: 1 },
    { maxConcurrentStarts: Number.POSITIVE_INFINITY },
    { backoff: { minMs: 1, maxMs: 2 } },
  ] as const)('may be %o', (flags) => {
    expect(checkFlags(flags)).toMatchObject(flags);
  });

  it('come back with their children, checked and with all defaults', () => {
    const { children } = checkFlags({ children: [a, { id: 'b', start, restart: 'transient' }] });
    expect(children.map(({ id, restart, shutdown }) => [id, restart, shutdown])).toEqual([
      ['a', 'permanent', 5_000],
      ['b', 'transient', 5_000],
    ]);
  });

  it('decide whether a child may be significant', () => {
    const children = [{ id: 'a', start, restart: 'transient', significant: true }] as const;
    expect(finding({ children })).toMatchObject({ problem: 'bad_combination' });
    expect(checkFlags({ children, autoShutdown: 'any_significant' }).children).toMatchObject([
      { significant: true },
    ]);
  });

  it('keep what our own supervisors add', () => {
    const extras: SupervisorExtras = { flavour: 'dynamic', maxChildren: 3, extraArguments: [1] };
    expect(checkFlags({ maxRestarts: 1 }, extras)).toMatchObject({ ...extras, maxRestarts: 1 });
  });
});

describe('wrong supervisor flags are refused, and the error names the field:', () => {
  const of = (
    problem: string,
    key: keyof SupervisorFlags,
    expected: string,
    values: readonly unknown[],
  ) => values.map((value) => ({ problem, key, expected, value }));
  const whole = 'a whole number from 1 is expected';

  it.each([
    ...of(
      'invalid_strategy',
      'strategy',
      'one of one_for_one, one_for_all, rest_for_one, simple_one_for_one is expected',
      ['one_for_none', null, ''],
    ),
    ...of('invalid_intensity', 'maxRestarts', 'a whole number from 0 is expected', [
      -1,
      0.5,
      'infinity',
      Number.POSITIVE_INFINITY,
      null,
    ]),
    ...of('invalid_period', 'periodMs', 'ms above 0 are expected', [
      0,
      -1,
      'infinity',
      Number.POSITIVE_INFINITY,
      Number.NaN,
      '5',
      null,
    ]),
    ...of(
      'invalid_auto_shutdown',
      'autoShutdown',
      'one of never, any_significant, all_significant is expected',
      ['always', null, true],
    ),
    ...of('invalid_name', 'name', 'a text, or a name made with via, is expected', [
      '',
      7,
      null,
      {},
    ]),
    ...of('invalid_max_concurrent_starts', 'maxConcurrentStarts', whole, [0, -1, 1.5, '2', null]),
    ...of('invalid_backoff', 'backoff', '{ minMs, maxMs } is expected', [null, 7]),
    ...of('invalid_backoff', 'backoff', 'minMs above 0 is expected', [{ minMs: 0, maxMs: 1 }]),
    ...of('invalid_children', 'children', 'an array is expected', [{}, 'a', null]),
  ])('$problem in $key: $value', ({ problem, key, expected, value }) => {
    const found = finding({ [key]: value });
    expect(found).toMatchObject({ code: 'supervisor_data', problem, field: key, value });
    const words = problem.replaceAll('_', ' ');
    expect(found?.text.startsWith(`${key}: ${words}: ${expected}, found `)).toBe(true);
  });

  it.each([
    [null, 'null'],
    [7, '7'],
    ['one_for_one', '"one_for_one"'],
    [[], '[]'],
  ])('flags that are none at all: %o', (flags, found) => {
    const text = `flags: invalid type: an object is expected, found ${found}`;
    expect(finding(flags)).toMatchObject({ problem: 'invalid_type', field: 'flags', text });
  });

  it('a key that is not known, with those that are', () => {
    expect(finding({ maxRestart: 3 })).toEqual({
      ...{ code: 'supervisor_data', problem: 'unknown_key', field: 'maxRestart', value: 3 },
      text:
        'maxRestart: unknown key: known are name, strategy, maxRestarts, periodMs, autoShutdown, children, ' +
        'backoff, maxConcurrentStarts, found 3',
    });
  });

  it('a child that is wrong, by its place', () => {
    expect(finding({ children: [a, { id: 'b' }] })).toMatchObject({
      ...{ code: 'bad_child_spec', problem: 'missing_start', field: 'children[1].start' },
    });
  });
});

describe('a simple_one_for_one', () => {
  it('has exactly one template', () => {
    const flags = checkFlags({ strategy: 'simple_one_for_one', children: [a] });
    expect(flags.children.map(({ id }) => id)).toEqual(['a']);
  });

  it.each([[undefined], [[]], [[a, { id: 'b', start }]]])(
    'without one is refused: %#',
    (children) => {
      const count = children?.length ?? 0;
      expect(finding({ strategy: 'simple_one_for_one', children })).toEqual({
        ...{ code: 'bad_child_spec', problem: 'bad_start_spec', field: 'children', value: count },
        text: `children: bad start spec: exactly one specification, the template, is expected, found ${count}`,
      });
    },
  );
});

describe('the children of a supervisor', () => {
  const of = (strategy: SupervisorFlags['strategy'], extras: SupervisorExtras = {}) =>
    isByRef(checkFlags({ strategy: strategy!, children: [a] }, extras));

  it.each([
    ['one_for_one', undefined, false],
    ['one_for_all', undefined, false],
    ['rest_for_one', undefined, false],
    ['simple_one_for_one', undefined, true],
    ['one_for_one', 'static', false],
    ['one_for_one', 'dynamic', true],
  ] as const)('%s, %s, are told apart by their references: %s', (strategy, flavour, is) => {
    expect(of(strategy, flavour === undefined ? {} : { flavour })).toBe(is);
  });
});
