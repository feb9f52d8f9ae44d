// Which incarnation has a thing, for all that a journal remembers? Its creations, and the deletions after each.
import type { AppliedMark } from './applied-mark.ts';
import type { JournalEntry } from './journal-entry.ts';

/**
 * One creation of a thing, and the earlier deletions that took it away again: an incarnation has it by this one that applied it and none of those.
 * A snapshot that holds the thing creates it too, and so does an update of what nobody has created.
 */
export interface Creation {
  readonly seq: number;
  readonly deletions: readonly number[];
}

/** A thing of a scope: one that lives, or one that was deleted and that a live incarnation may still have. */
export interface Thing {
  /** What a new incarnation is told: its creation and its updates, or neither where the snapshot has them. */
  entries: JournalEntry[];
  /** Present: it was deleted. */
  deletion: JournalEntry | undefined;
  creations: readonly Creation[];
}

/** What remains to be known of earlier creations when one more entry is about the thing. */
export function creationsOf(earlier: Thing | undefined): readonly Creation[] {
  if (earlier?.deletion === undefined) return earlier?.creations ?? [];
  const { seq } = earlier.deletion;
  return earlier.creations.map((one) => ({ ...one, deletions: [...one.deletions, seq] }));
}

/** Whether the snapshot of this number has the thing: whoever is told of that must be told of its deletion. */
export function isHeld({ creations }: Thing, snapshotSeq: number | undefined): boolean {
  return creations.some(({ seq }) => seq === snapshotSeq);
}

/** Whether an incarnation has a thing that was deleted, by whichever of its creations; the snapshot of this number it has, or gets first. */
export function mustDrop(
  { deletion, creations }: Thing,
  mark: AppliedMark,
  snapshotSeq: number | undefined,
): boolean {
  if (deletion === undefined || mark.has(deletion.seq)) return false;
  return creations.some((creation) => isBehind(creation, mark, snapshotSeq));
}

/** Keep one creation for each live incarnation that has the thing, and those that others are still to be told of. */
export function trim(
  thing: Thing,
  marks: readonly AppliedMark[],
  snapshotSeq: number | undefined,
): void {
  const needed = new Set(
    marks.map((mark) => thing.creations.find((creation) => isBehind(creation, mark, undefined))),
  );
  const current = thing.entries[0]?.seq;
  thing.creations = thing.creations
    .filter((one) => needed.has(one) || one.seq === current || one.seq === snapshotSeq)
    .map(({ seq, deletions }) => {
      const known = new Set(marks.map((mark) => deletions.find((one) => mark.has(one))));
      return { seq, deletions: deletions.filter((one) => known.has(one)) };
    });
}

/** Whether this incarnation got the thing by this creation, and has it still for all that the later entries know. */
function isBehind(
  { seq, deletions }: Creation,
  mark: AppliedMark,
  snapshotSeq: number | undefined,
): boolean {
  const hasIt = seq === snapshotSeq || mark.has(seq);
  return hasIt && !deletions.some((deletion) => mark.has(deletion));
}
