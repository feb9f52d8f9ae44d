// Which of the known names was meant? For whoever has misspelt one.

/** A name is taken for another one when at most a third of its letters, and at least two, would have to be changed. */
const LETTERS_FOR_EACH_SLIP = 3;
const SLIPS_MIN = 2;

/** @returns the known name that `given` is most like, or undefined when it is like none. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const most = Math.max(SLIPS_MIN, Math.floor(given.length / LETTERS_FOR_EACH_SLIP));
  let best: { readonly name: string; readonly slips: number } | undefined;
  for (const name of known) {
    const slips = slipsBetween(given.toLowerCase(), name.toLowerCase());
    if (slips <= most && slips < name.length && slips < (best?.slips ?? Infinity)) {
      best = { name, slips };
    }
  }
  return best?.name;
}

/** In words, for the end of a sentence about an unknown name. */
export function suggestion(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
}

/** Letters that were added, left out, taken for another, or that changed places with their neighbour. */
function slipsBetween(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, to) => to)];
  const at = (row: number, to: number): number => rows[row]?.[to] ?? Infinity;
  for (let row = 1; row <= left.length; row += 1) {
    const cells = [row];
    rows.push(cells);
    for (let to = 1; to <= right.length; to += 1) {
      const changed = left[row - 1] === right[to - 1] ? 0 : 1;
      const swapped =
        left[row - 1] === right[to - 2] && left[row - 2] === right[to - 1] ? 1 : Infinity;
      cells.push(
        Math.min(
          at(row, to - 1) + 1,
          at(row - 1, to) + 1,
          at(row - 1, to - 1) + changed,
          at(row - 2, to - 2) + swapped,
        ),
      );
    }
  }
  return at(left.length, right.length);
}
