import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeValue, encodeValue } from '../../../actors/port/codec.ts';
import { encodeFrame } from '../../../actors/port/frame.ts';
import { AppliedMark, Journal } from '../../../supervisors/pool/journal.ts';
import {
  decodeStoredEntry,
  decodeStoredScope,
  encodeStoredEntry,
  encodeStoredScope,
} from '../../../supervisors/pool/stored-scope.ts';
import { arbitraryValues, WITH_NUMPY } from '../../support/arbitrary-values.ts';
import { areEqual } from '../../vectors/equality.ts';

const SECRET = 'sk-never-to-be-written-down';

const args = (value: object) => encodeValue(value, 'args');
const entry = {
  ...{ format: 1, seq: 1, change: 'create', op: 'create_program', key: 'a', args: {} },
};
const scope = (head: number, ...entries: object[]) =>
  Buffer.concat([{ format: 1, head, entries: entries.length }, ...entries].map(encodeFrame));

/** Arguments are named: their order says nothing. */
function areSameArgs(sent: object, back: unknown): boolean {
  const sorted = (value: object) =>
    Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return areEqual(sorted(sent), sorted(back as object));
}

/** What Python gets to see of the only entry. */
function valueOf(journal: Journal): unknown {
  const [told] = journal.missing(new AppliedMark());
  const { json, tagged, segments } = told!.args;
  const buffers = segments.map((one) => Buffer.from(one));
  return decodeValue(structuredClone(json), tagged, buffers);
}

describe('a stored scope', () => {
  it('comes back as the same values, and never has a secret in it', () => {
    const value = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$', '$key', '__proto__', 'api_key')),
      arbitraryValues(WITH_NUMPY),
      { maxKeys: 4 },
    );
    const secretNames = fc.uniqueArray(fc.constantFrom('api_key', '$key', '__proto__', 'token'), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(value, secretNames, (given, secret) => {
        const all = Object.fromEntries([
          ...Object.entries(given),
          ...secret.map((name) => [name, SECRET] as const),
        ]);
        const journal = new Journal();
        const names = Object.fromEntries(secret.map((name) => [name, `NAME OF ${name}`]));
        journal.append('create', 'create', args(all), 'a', names);
        const bytes = encodeStoredScope(journal.stored());
        expect(bytes.includes(SECRET)).toBe(false);
        const back = decodeStoredScope(bytes);
        expect(encodeStoredScope(back)).toEqual(bytes);
        const resolved: string[] = [];
        const loaded = Journal.from(back, (name) => {
          resolved.push(name);
          return SECRET;
        });
        expect(resolved.sort()).toEqual(Object.values(names).sort());
        expect(areSameArgs(all, valueOf(loaded))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has no secret that is bytes, and the other bytes still mean what they did', () => {
    const journal = new Journal();
    const value = {
      first: new Float32Array([1]),
      key: Buffer.from(SECRET),
      last: Buffer.from('last'),
    };
    journal.append('create', 'create', args(value), 'a', { key: 'KEY' });
    const bytes = encodeStoredScope(journal.stored());
    expect(bytes.includes(SECRET)).toBe(false);
    const loaded = Journal.from(decodeStoredScope(bytes), () => 'another');
    expect(areSameArgs({ ...value, key: 'another' }, valueOf(loaded))).toBe(true);
  });

  it('names the first secret that nobody knows, and keeps the entry', () => {
    const journal = new Journal();
    const value = { model: 'm', api_key: SECRET, token: SECRET };
    journal.append('configure', 'configure', args(value), 'configure', {
      ...{ api_key: 'API_KEY', token: 'TOKEN' },
    });
    const loaded = Journal.from(journal.stored(), (name) =>
      name === 'API_KEY' ? 'known' : undefined,
    );
    const [told] = loaded.missing(new AppliedMark());
    expect(told?.missingSecret).toBe('TOKEN');
    expect(told?.args.json).toEqual({ model: 'm', api_key: 'known' });
    expect(loaded.stored()).toEqual(journal.stored());
  });

  it('says which things a snapshot holds', () => {
    const journal = new Journal();
    journal.append('create', 'create', args({}), 'a');
    journal.append('restore', 'restore', args({ state: 1 }), 'restore');
    const loaded = Journal.from(decodeStoredScope(encodeStoredScope(journal.stored())), () => '');
    loaded.append('delete', 'delete', args({}), 'a');
    const told = loaded.missing(new AppliedMark());
    expect(told.map(({ op }) => op)).toEqual(['restore', 'delete']);
  });

  it('begins where it ended, though its last entry was a deletion', () => {
    const journal = new Journal();
    journal.append('create', 'create', args({}), 'a');
    journal.append('delete', 'delete', args({}), 'a');
    const loaded = Journal.from(decodeStoredScope(encodeStoredScope(journal.stored())), () => '');
    expect([loaded.size, loaded.head]).toEqual([0, 2]);
  });

  it.each([
    ['a later format', scope(1, { ...entry, format: 2 }), /format 2, this version knows 1/],
    ['no format', encodeFrame({ head: 1, entries: 0 }), /format missing/],
    ['a field that is not known', scope(1, { ...entry, more: 1 }), /field "more"/],
    ['a change that is not known', scope(1, { ...entry, change: 'move' }), /change "move"/],
    ['arguments that are none', scope(1, { ...entry, args: [] }), /args \[\]/],
    ['a number that is none', scope(1, { ...entry, seq: -1 }), /seq -1/],
    ['an operation that is none', scope(1, { ...entry, op: 1 }), /op 1/],
    ['a tag that is none', scope(1, { ...entry, tagged: false }), /tagged false/],
    ['secrets that are no names', scope(1, { ...entry, secrets: { a: 1 } }), /secrets \{"a":1\}/],
    ['things that are no keys', scope(1, { ...entry, holds: [1] }), /holds \[1\]/],
    ['an entry twice', scope(1, entry, entry), /entry 1 behind entry 1/],
    ['an entry beyond its end', scope(0, entry), /entry 1 .* ends at 0/],
    ['too few entries', scope(1, entry).subarray(0, -encodeFrame(entry).length), /0 entries/],
    ['half a frame', scope(1, entry).subarray(0, -1), /frame that has no end/],
    ['no bytes', Buffer.alloc(0), /no bytes/],
    ['what is no frame', Buffer.from('{"head": 1, "entries": []}'), /frame/],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => decodeStoredScope(bytes)).toThrow(message);
  });

  it('quotes no more than a little of what it does not understand', () => {
    const bytes = scope(1, { ...entry, op: ['x'.repeat(10_000)] });
    expect(() => decodeStoredScope(bytes)).toThrow(/^.{1,200}$/u);
  });
});

describe('a stored entry', () => {
  it('is one frame', () => {
    const journal = new Journal();
    journal.append('update', 'train', args({ data: new Float64Array([1, 2]) }), 'model');
    const [stored] = journal.stored().entries;
    const bytes = encodeStoredEntry(stored!);
    expect(encodeStoredEntry(decodeStoredEntry(bytes))).toEqual(bytes);
    expect(() => decodeStoredEntry(Buffer.concat([bytes, bytes]))).toThrow('2 frames');
    expect(() => decodeStoredEntry(Buffer.alloc(0))).toThrow('0 frames');
  });
});
