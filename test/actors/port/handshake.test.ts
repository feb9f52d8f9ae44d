import { describe, expect, it } from 'vitest';
import { abilitiesOf, compareVersions, judgeHello } from '../../../actors/port/handshake.ts';

const HELLO = {
  ...{ protocol: '2.2', packageVersion: '0.1.0', python: '3.11.7' },
  ...{ implementation: 'cpython', pid: 4711, gil: 'enabled' },
};

describe('a hello', () => {
  it.each([
    ['2.1', '2.1'],
    ['2.1.5', '2.1'],
    ['2.2', '2.2'],
    ['2.7', '2.2'],
    ['2.10', '2.2'],
  ])('is welcome with protocol %s, and both speak the lower of the two', (protocol, spoken) => {
    expect(judgeHello({ ...HELLO, protocol })).toEqual({ type: 'welcome', protocol: spoken });
  });

  it.each(['1.9', '3.0', '20.0', '', 'two'])('is refused with protocol "%s"', (protocol) => {
    expect(judgeHello({ ...HELLO, protocol })).toEqual({
      type: 'refuse',
      reason: `protocol ${protocol} found, 2.x wanted`,
    });
  });

  it.each(['2.0', '2', '2.x'])(
    'is refused with protocol "%s", which has neither streams nor heartbeats',
    (protocol) => {
      expect(judgeHello({ ...HELLO, protocol })).toEqual({
        type: 'refuse',
        reason: `protocol ${protocol} found, 2.1 or newer wanted`,
      });
    },
  );

  it.each(['3.10.0', '3.10', '3.13.0rc1', '4.0'])('is welcome from Python %s', (python) => {
    expect(judgeHello({ ...HELLO, python })).toEqual({ type: 'welcome', protocol: '2.2' });
  });

  it.each(['3.9.18', '3.1.4', '2.7'])('is refused from Python %s', (python) => {
    expect(judgeHello({ ...HELLO, python })).toEqual({
      type: 'refuse',
      reason: `Python ${python} found, 3.10 or newer wanted`,
    });
  });

  it('is refused from a Python that is older than its bridge needs', () => {
    expect(judgeHello(HELLO, '3.12').type).toBe('refuse');
  });
});

describe('what a worker can be asked for', () => {
  it.each([
    ['before a version is agreed on', undefined, false],
    ['at 2.1', '2.1', false],
    ['at 2.2', '2.2', true],
  ] as const)('is everything, batches from 2.2 on: %s', (_when, protocol, hasBatches) => {
    const abilities = abilitiesOf(protocol);
    expect(
      ['streams', 'callbacks', 'cancellation', 'heartbeat'].map((one) =>
        abilities.has(one as 'streams'),
      ),
    ).not.toContain(false);
    expect(abilities.has('batches')).toBe(hasBatches);
  });
});

describe('versions', () => {
  it.each([
    ['3.11.0', '3.11.0', 0],
    ['3.11', '3.11.0', 0],
    ['3.9', '3.10', -1],
    ['3.10', '3.9.99', 1],
    ['3.11.1', '3.11', 1],
    ['4', '3.99', 1],
    ['3.13.0rc1', '3.13', 0],
  ])('%s against %s compares number by number: %i', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
  });
});
