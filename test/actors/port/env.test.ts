import { describe, expect, it } from 'vitest';
import { workerEnv } from '../../../actors/port/env.ts';

describe("a worker's environment", () => {
  it.each(['PATH', 'HOME', 'VIRTUAL_ENV', 'LANG', 'LC_ALL', 'SSL_CERT_FILE', 'OMP_NUM_THREADS'])(
    'has %s of the host',
    (name) => {
      expect(workerEnv({ [name]: 'value' }, {})[name]).toBe('value');
    },
  );

  it.each([
    'CANARY_SECRET',
    'OPENAI_API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'HF_TOKEN',
    'NODE_OPTIONS',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'LD_PRELOAD',
    'CADUCEUS_WORKER',
    'path',
  ])('has no %s of the host', (name) => {
    expect(Object.values(workerEnv({ [name]: 'canary' }, {}))).not.toContain('canary');
  });

  it('has no variable that the host has unset', () => {
    expect('HOME' in workerEnv({ HOME: undefined }, {})).toBe(false);
  });

  it('has what its bridge is given', () => {
    expect(workerEnv({}, { OPENAI_API_KEY: 'given' })).toMatchObject({ OPENAI_API_KEY: 'given' });
  });

  it('prefers what its bridge is given to the host and to our own', () => {
    const extra = { PATH: '/mine', PYTHONUTF8: '0' };
    expect(workerEnv({ PATH: '/host' }, extra)).toMatchObject(extra);
  });

  it('makes Python write UTF-8, and at once', () => {
    expect(workerEnv({}, {})).toEqual({ PYTHONUNBUFFERED: '1', PYTHONUTF8: '1' });
  });
});
