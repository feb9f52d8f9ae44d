// Under which names are the children of one supervisor found? A name is a row's, across its incarnations; it resolves to the present one.
import type { LifePorts } from '../actors/lifecycle/child.ts';
import type { NameHolder } from '../actors/lifecycle/names.ts';
import { refOf, type Row } from './child-row.ts';
import { SupervisorError } from './supervision-errors.ts';

/** The names of one supervisor's children. Of a child without a name nothing is kept. */
export class ChildNames {
  readonly #path: string;
  readonly #names: LifePorts['names'];
  readonly #holders = new Map<Row, NameHolder>();

  constructor(path: string, names: LifePorts['names']) {
    this.#path = path;
    this.#names = names;
  }

  /** @throws {@link SupervisorError} when another that lives has the name. */
  claim(row: Row): void {
    const { name } = row.spec;
    if (name === undefined) return;
    const holder = this.#holders.get(row) ?? ((): ReturnType<NameHolder> => refOf(row));
    this.#holders.set(row, holder);
    const ref = this.#names.claim(name, holder);
    if (ref === undefined) return;
    throw new SupervisorError('already_started', this.#path, { op: 'start', child: row.key, ref });
  }

  /** The row has a new incarnation. */
  bind(row: Row): void {
    const holder = this.#holders.get(row);
    if (holder !== undefined && row.spec.name !== undefined)
      this.#names.bind(row.spec.name, holder);
  }

  release(row: Row): void {
    const holder = this.#holders.get(row);
    if (holder !== undefined && row.spec.name !== undefined) {
      this.#names.release(row.spec.name, holder);
    }
    this.#holders.delete(row);
  }

  releaseAll(): void {
    for (const row of [...this.#holders.keys()]) this.release(row);
  }
}
