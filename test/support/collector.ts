// Has a value been let go of? Asks the garbage collector itself.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One full collection frees whatever is unreachable, but the engine itself may hold a value for a while: one for which it is compiling code, for instance. */
const COLLECTIONS_MAX = 30;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** How many of these values something holds on to. Asks once, and again as long as it is more than `enough`. */
export async function heldOf(refs: readonly WeakRef<object>[], enough = 0): Promise<number> {
  let held = refs.length;
  for (let time = 0; time === 0 || (time < COLLECTIONS_MAX && held > enough); time += 1) {
    // A WeakRef that was made or read holds its value until the present turn of the event loop is over.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    held = refs.filter((ref) => ref.deref() !== undefined).length;
  }
  return held;
}
