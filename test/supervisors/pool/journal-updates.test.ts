// What becomes of a journal's updates and snapshots, and whose memory are its values?
import { describe, expect, it } from 'vitest';

import { encodeValue } from '../../../actors/port/codec.ts';
import { AppliedMark, Journal, type JournalEntry } from '../../../supervisors/pool/journal.ts';

const args = (value: object = {}) => encodeValue(value, 'args');
const create = (journal: Journal, key: string) =>
  journal.append('create', 'create', args({ id: key }), key);
const drop = (journal: Journal, key: string) =>
  journal.append('delete', 'delete', args({ id: key }), key);
const update = (journal: Journal, key: string, value = 'more') =>
  journal.append('update', 'update', args({ id: key, value }), key);
const restore = (journal: Journal, state: object = {}) =>
  journal.append('restore', 'restore', args({ state }), 'restore');
const names = (entries: readonly JournalEntry[]) => entries.map(({ op, key }) => `${op} ${key}`);

/** Apply all that is missing, as a replay does. */
function replay(journal: Journal, mark: AppliedMark): string[] {
  const missing = journal.missing(mark);
  for (const entry of missing) mark.add(entry.seq);
  return names(missing);
}

describe('updates of a thing', () => {
  it('are all told, in their order, behind its creation', () => {
    const journal = new Journal();
    create(journal, 'a');
    for (const value of ['one', 'two']) update(journal, 'a', value);
    const told = journal.missing(new AppliedMark()).map((entry) => entry.args.json);
    expect(told).toEqual([{ id: 'a' }, { id: 'a', value: 'one' }, { id: 'a', value: 'two' }]);
  });

  it('are told to an incarnation that has the thing without them', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    update(journal, 'a');
    expect([replay(journal, mark), replay(journal, mark)]).toEqual([['update a'], []]);
  });

  it('go with the thing', () => {
    const journal = new Journal();
    const seqs = [create(journal, 'a'), update(journal, 'a')].map(({ seq }) => seq);
    const { removedSeqs, isKept } = drop(journal, 'a');
    expect([removedSeqs, isKept, journal.size, journal.bytes]).toEqual([seqs, false, 0, 0]);
  });

  it('go when the thing is made anew', () => {
    const journal = new Journal();
    create(journal, 'a');
    update(journal, 'a');
    create(journal, 'a');
    expect(replay(journal, new AppliedMark())).toEqual(['create a']);
  });

  it('are nothing after its deletion, which another incarnation has executed first', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    drop(journal, 'a');
    const { seq, isKept } = update(journal, 'a');
    mark.add(seq);
    expect([isKept, journal.size, replay(journal, mark)]).toEqual([false, 0, ['delete a']]);
  });

  it('are told also of what no entry has created, until it is deleted', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(update(journal, 'memory').seq);
    expect(replay(journal, new AppliedMark())).toEqual(['update memory']);
    drop(journal, 'memory');
    expect([replay(journal, new AppliedMark()), replay(journal, mark)]).toEqual([
      [],
      ['delete memory'],
    ]);
  });
});

describe('a snapshot', () => {
  it('takes the place of everything but what is configured', () => {
    const journal = new Journal();
    journal.append('configure', 'configure', args(), 'configure');
    create(journal, 'a');
    update(journal, 'a');
    expect(restore(journal).removedSeqs).toEqual([2, 3]);
    expect(replay(journal, new AppliedMark())).toEqual(['configure configure', 'restore restore']);
  });

  it('takes the place of the snapshot before it', () => {
    const journal = new Journal();
    restore(journal, { edition: 1 });
    restore(journal, { edition: 2 });
    const told = journal.missing(new AppliedMark()).map((entry) => entry.args.json);
    expect(told).toEqual([{ state: { edition: 2 } }]);
  });

  it('is followed by what has happened since', () => {
    const journal = new Journal();
    create(journal, 'a');
    restore(journal);
    update(journal, 'a');
    create(journal, 'b');
    expect(replay(journal, new AppliedMark())).toEqual(['restore restore', 'update a', 'create b']);
  });

  it('brings back what was deleted since, so that every new incarnation is told to drop it', () => {
    const journal = new Journal();
    create(journal, 'a');
    restore(journal);
    drop(journal, 'a');
    journal.prune([]);
    expect(replay(journal, new AppliedMark())).toEqual(['restore restore', 'delete a']);
  });

  it('does not bring back what was made and deleted since', () => {
    const journal = new Journal();
    restore(journal);
    create(journal, 'a');
    drop(journal, 'a');
    expect(replay(journal, new AppliedMark())).toEqual(['restore restore']);
  });

  it('does not hold what was deleted before it, which only those are told that have it', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    create(journal, 'a');
    mark.add(restore(journal).seq);
    drop(journal, 'a');
    restore(journal);
    expect(replay(journal, new AppliedMark())).toEqual(['restore restore']);
    expect(replay(journal, mark)).toEqual(['delete a', 'restore restore']);
  });
});

describe('what a journal keeps of a value', () => {
  it('does not change when its caller changes it', () => {
    const journal = new Journal();
    const given = { list: [1], bytes: new Uint8Array([1]) };
    journal.append('create', 'create', args(given), 'a');
    given.list.push(2);
    given.bytes[0] = 2;
    const [told] = journal.missing(new AppliedMark());
    expect(told?.args).toEqual(args({ list: [1], bytes: new Uint8Array([1]) }));
  });

  it('has a size, which is that of all entries together', () => {
    const journal = new Journal();
    journal.append('create', 'create', args({ text: 'é', data: new Uint8Array(100) }), 'a');
    const { bytes } = journal;
    expect(bytes).toBeGreaterThan(100);
    journal.append('create', 'create', args({ text: 'é', data: new Uint8Array(100) }), 'b');
    expect(journal.bytes).toBe(2 * bytes);
  });

  it.each([
    ['a configuration', 'configure', 'configure', true],
    ['another configuration', 'configure', 'other', false],
    ['a thing that is there', 'create', 'a', true],
    ['a thing that is not', 'create', 'b', false],
    ['an update', 'update', 'a', false],
    ['a deletion', 'delete', 'a', true],
    ['a snapshot', 'restore', 'restore', true],
  ] as const)('knows whether %s takes the place of an entry', (_, change, key, expected) => {
    const journal = new Journal();
    journal.append('configure', 'configure', args(), 'configure');
    create(journal, 'a');
    expect(journal.has(change, key)).toBe(expected);
  });
});
