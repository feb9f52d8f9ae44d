// Are arguments and results checked by what an adapter and a bridge say of them?
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PythonSchemas } from '../../../src/adapters/python-schemas.ts';
import {
  checkBy,
  isStandardSchema,
  type StandardSchema,
} from '../../../src/adapters/standard-schema.ts';

const later: StandardSchema = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => Promise.resolve({ value }) },
};
const keyed: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: () => ({ issues: [{ message: 'is wrong', path: ['rows', { key: 2 }] }] }),
  },
};

describe('a Standard Schema', () => {
  it('gives what it makes of a value', () => {
    const schema = z.strictObject({ limit: z.number().default(5) });
    expect(checkBy(schema, {})).toEqual({ type: 'good', value: { limit: 5 } });
  });

  it('names the place of its first finding, in whatever form its library has it', () => {
    const schema = z.strictObject({ inputs: z.array(z.strictObject({ name: z.string() })) });
    const checked = checkBy(schema, { inputs: [{ name: 'a' }, { name: 4 }] });
    expect(checked).toMatchObject({ type: 'bad', path: 'inputs.1.name' });
    expect(checkBy(keyed, {})).toEqual({ type: 'bad', path: 'rows.2', problem: 'is wrong' });
  });

  it('is refused when it answers later: a call has one deadline', () => {
    expect(checkBy(later, {})).toMatchObject({ type: 'bad', path: '' });
  });

  it('is refused in the same way when its promise is of another kind', () => {
    const validate = (): never => ({ then: () => undefined }) as never;
    const foreign: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate } };
    expect(checkBy(foreign, {})).toMatchObject({
      ...{ type: 'bad', problem: 'its schema answers asynchronously' },
    });
  });

  it('is told from anything else', () => {
    for (const value of [null, undefined, 4, {}, { '~standard': 1 }, { '~standard': {} }]) {
      expect(isStandardSchema(value)).toBe(false);
    }
    expect(isStandardSchema(later)).toBe(true);
    expect(isStandardSchema(z.string())).toBe(true);
  });
});

const MAP = { type: 'object', additionalProperties: { type: 'number' } };
const DATE = { type: 'string', format: 'date-time' };

describe('what a bridge says of its operations', () => {
  const schemas = (): PythonSchemas => {
    const known = new PythonSchemas();
    const properties = { count: { type: 'integer' }, rate: { type: 'number' }, any: {} };
    const args = { type: 'object', properties, required: ['count'], additionalProperties: false };
    known.learn(
      { add: { args }, odd: { args: { type: 'no type' } }, plain: { stream: true } },
      'h1',
    );
    return known;
  };

  it('is asked before a call is sent', () => {
    const known = schemas();
    expect(known.check('add', { count: 1 })).toMatchObject({ type: 'good' });
    expect(known.check('add', { count: 'one' })).toMatchObject({ type: 'bad', path: 'count' });
    expect(known.check('add', {})).toMatchObject({ type: 'bad', path: 'count' });
    expect(known.check('add', { count: 1, coutn: 2 })).toMatchObject({ type: 'bad' });
  });

  it('is not known before the first worker is ready, and then everything passes', () => {
    expect(new PythonSchemas().check('add', { count: 'one' })).toMatchObject({ type: 'good' });
  });

  it.each([
    ['a big integer', { count: 2n ** 70n }],
    ['a number that is none', { count: 1, rate: Number.NaN }],
    ['an integer beyond the safe ones', { count: 2 ** 60 }],
  ])('leaves %s to Python, since JSON has no such thing', (_name, args) => {
    expect(schemas().check('add', args)).toMatchObject({ type: 'good' });
  });

  it('looks at arguments as they are sent: what is undefined is left out', () => {
    const known = schemas();
    expect(known.check('add', { count: 1, more: undefined })).toMatchObject({ type: 'good' });
    expect(known.check('add', { count: undefined })).toMatchObject({ type: 'bad', path: 'count' });
    const args = { type: 'object', properties: { of: MAP }, additionalProperties: false };
    known.learn({ sum: { args } }, 'h2');
    expect(known.check('sum', { of: { a: 1, b: undefined } })).toMatchObject({ type: 'good' });
    expect(known.check('sum', { of: { a: 1, b: 'x' } })).toMatchObject({ path: 'of.b' });
  });

  it('leaves a model of pydantic to pydantic, which takes more than its schema says', () => {
    const known = new PythonSchemas();
    const $defs = {
      Visit: { type: 'object', properties: { at: DATE, count: { type: 'integer' } } },
    };
    const properties = { visit: { $ref: '#/$defs/Visit' }, note: { type: 'string' } };
    known.learn({ save: { args: { type: 'object', properties, $defs } } }, 'h1');
    const visit = { at: '2026-01-01 00:00:00+02:00', count: '5' };
    expect(known.check('save', { visit })).toMatchObject({ type: 'good' });
    expect(known.check('save', { visit, note: 5 })).toMatchObject({ type: 'bad', path: 'note' });
  });

  it('leaves what it cannot read, and what nobody has described, to Python', () => {
    expect(schemas().check('odd', { x: 1 })).toMatchObject({ type: 'good' });
    expect(schemas().check('plain', { x: 1 })).toMatchObject({ type: 'good' });
    expect(schemas().check('unknown', { x: 1 })).toMatchObject({ type: 'good' });
  });

  it('is replaced by what a newer worker says, and kept where that is the same', () => {
    const known = schemas();
    known.learn({}, 'h1');
    expect(known.check('add', {})).toMatchObject({ type: 'bad' });
    known.learn({}, 'h2');
    expect(known.check('add', {})).toMatchObject({ type: 'good' });
    expect(known.all).toEqual({});
  });
});
