import { describe, expect, it } from 'vitest';

import { encodeValue } from '../../../actors/port/codec.ts';
import { AppliedMark, Journal, type JournalEntry } from '../../../supervisors/pool/journal.ts';

const args = (value: object = {}) => encodeValue(value, 'args');
const create = (journal: Journal, key: string) =>
  journal.append('create', 'create', args({ id: key }), key);
const drop = (journal: Journal, key: string) =>
  journal.append('delete', 'delete', args({ id: key }), key);
const names = (entries: readonly JournalEntry[]) => entries.map(({ op, key }) => `${op} ${key}`);

/** Apply all that is missing, as a replay does. */
function replay(journal: Journal, mark: AppliedMark): string[] {
  const missing = journal.missing(mark);
  for (const entry of missing) mark.add(entry.seq);
  return names(missing);
}

describe('a journal', () => {
  it('tells a new incarnation everything, in order', () => {
    const journal = new Journal();
    for (const key of ['b', 'a', 'c']) create(journal, key);
    expect(replay(journal, new AppliedMark())).toEqual(['create b', 'create a', 'create c']);
  });

  it('tells an incarnation that is up to date nothing', () => {
    const journal = new Journal();
    create(journal, 'a');
    const mark = new AppliedMark();
    replay(journal, mark);
    expect(replay(journal, mark)).toEqual([]);
  });

  it('tells an incarnation what it has not executed itself', () => {
    const journal = new Journal();
    create(journal, 'a');
    const mark = new AppliedMark();
    mark.add(create(journal, 'b').seq);
    expect(replay(journal, mark)).toEqual(['create a']);
  });

  it('keeps the last of several configurations by the same operation', () => {
    const journal = new Journal();
    for (const n of [1, 2]) journal.append('configure', 'configure', args({ n }), 'configure');
    const missing = journal.missing(new AppliedMark());
    expect(missing.map((entry) => entry.args)).toEqual([args({ n: 2 })]);
  });

  it('keeps configurations by different operations', () => {
    const journal = new Journal();
    for (const op of ['configure', 'set_adapter']) journal.append('configure', op, args(), op);
    expect(replay(journal, new AppliedMark())).toEqual([
      'configure configure',
      'set_adapter set_adapter',
    ]);
  });

  it('keeps a program that is named like an operation apart from that operation', () => {
    const journal = new Journal();
    journal.append('configure', 'configure', args(), 'configure');
    create(journal, 'configure');
    expect(replay(journal, new AppliedMark())).toEqual(['configure configure', 'create configure']);
  });

  it('tells a new incarnation neither of a creation nor of its deletion', () => {
    const journal = new Journal();
    create(journal, 'a');
    drop(journal, 'a');
    expect([journal.size, replay(journal, new AppliedMark())]).toEqual([0, []]);
  });

  it('tells an incarnation that has a deleted thing to drop it', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    drop(journal, 'a');
    expect([replay(journal, mark), replay(journal, mark)]).toEqual([['delete a'], []]);
  });

  it('tells an incarnation that never had a deleted thing nothing', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    create(journal, 'a');
    drop(journal, 'a');
    create(journal, 'b');
    expect(replay(journal, mark)).toEqual(['create b']);
  });

  it('tells a thing that was created again as one that is there', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    drop(journal, 'a');
    create(journal, 'a');
    expect(replay(journal, mark)).toEqual(['create a']);
  });

  it('tells to drop a thing also an incarnation that has an older edition of it', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    create(journal, 'a');
    drop(journal, 'a');
    expect(replay(journal, mark)).toEqual(['delete a']);
  });

  it('never tells an incarnation to drop what it never had, though it was made twice', () => {
    const journal = new Journal();
    const [maker, holder, bystander] = [new AppliedMark(), new AppliedMark(), new AppliedMark()];
    const prune = () => journal.prune([maker, holder, bystander]);
    maker.add(create(journal, 'a').seq);
    replay(journal, holder);
    maker.add(drop(journal, 'a').seq);
    prune();
    replay(journal, bystander);
    maker.add(create(journal, 'a').seq);
    maker.add(drop(journal, 'a').seq);
    prune();
    expect([replay(journal, bystander), replay(journal, holder)]).toEqual([[], ['delete a']]);
  });

  it('does not grow by what is made again and again', () => {
    const journal = new Journal();
    const marks = [new AppliedMark(), new AppliedMark()];
    for (let time = 0; time < 100; time += 1) {
      marks[0]?.add(create(journal, 'a').seq);
      journal.prune(marks);
      marks[0]?.add(journal.append('configure', 'configure', args(), 'configure').seq);
      if (time === 50) replay(journal, marks[1]!);
      journal.prune(marks);
    }
    expect([journal.size, journal.traces]).toEqual([2, 3]);
  });

  it('remembers a deletion of what was never created as nothing', () => {
    const journal = new Journal();
    drop(journal, 'a');
    expect(replay(journal, new AppliedMark())).toEqual([]);
  });
});

describe('pruning', () => {
  it('keeps a tombstone that a live incarnation still needs', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    drop(journal, 'a');
    journal.prune([mark, new AppliedMark()]);
    expect(replay(journal, mark)).toEqual(['delete a']);
  });

  it('forgets a tombstone once every live incarnation has applied it', () => {
    const journal = new Journal();
    const mark = new AppliedMark();
    mark.add(create(journal, 'a').seq);
    mark.add(drop(journal, 'a').seq);
    journal.prune([mark]);
    const stale = new AppliedMark();
    stale.add(1);
    expect(replay(journal, stale)).toEqual([]);
  });
});

describe('a mark', () => {
  it('has what was added, and nothing else', () => {
    const mark = new AppliedMark();
    mark.add(2);
    expect([1, 2, 3].map((seq) => mark.has(seq))).toEqual([false, true, false]);
  });

  it('has everything up to what it was raised to', () => {
    const mark = new AppliedMark();
    mark.add(5);
    mark.raise(3);
    expect([1, 3, 4, 5].map((seq) => mark.has(seq))).toEqual([true, true, false, true]);
  });

  it('is never lowered', () => {
    const mark = new AppliedMark();
    mark.raise(3);
    mark.raise(1);
    expect(mark.watermark).toBe(3);
  });
});
