// What does each call of the API do and answer? OTP's `handle_call` (supervisor), with its results as values or coded errors.
import { SHUTDOWN } from '../actors/ground/exit-reason.ts';
import {
  judgeDeleteChild,
  judgeRestartChild,
  judgeStartChild,
  judgeStartDynamic,
  judgeStranger,
  judgeTerminateChild,
  type Refusal,
} from './child-calls.ts';
import { isChildName, nameOf } from './child-name.ts';
import { DOWN, placeOf, refOf, type Row } from './child-row.ts';
import type { FullChildSpec } from './child-spec.ts';
import type { StartOutcome } from './child-walk.ts';
import { errorFrom } from '../actors/ground/error-from.ts';
import { mergeInput } from './merge-input.ts';
import { StartChildError, SupervisorError, type RefusalCode } from './supervision-errors.ts';
import type {
  CallParts,
  ChildName,
  OfChild,
  StartCall,
  SupervisorCall,
} from './supervisor-call.ts';
import { countOf, entryOf, specOf, templateFor } from './supervisor-view.ts';

type Work = (done: () => void) => void;

/** The calls of one supervisor. */
export class SupervisorCalls {
  readonly #parts: CallParts;
  /** The call that a child is started or stopped for. */
  #present: SupervisorCall | undefined;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** `terminateChild` of a child whose start is under way calls that off, instead of waiting behind it. */
  hurry(call: SupervisorCall): SupervisorCall {
    // Thrown in the caller's hands: here a slip of one caller would end the supervisor.
    if ('child' in call && !isChildName(call.child)) {
      throw new TypeError(`${call.op}: the id or the reference of a child is expected`);
    }
    if (call.op !== 'terminateChild') return call;
    const row = this.#find(call.child);
    return row !== undefined && this.#parts.walk.abort(row) ? { ...call, hurried: true } : call;
  }

  refuse(call: SupervisorCall, code: RefusalCode, row?: Row): void {
    const child = 'child' in call ? nameOf(call.child) : undefined;
    const ref = row === undefined ? undefined : refOf(row);
    call.fail(new SupervisorError(code, this.#parts.path, { op: call.op, child, ref }));
  }

  /** Whether a child is being started or stopped for a caller. */
  get isServing(): boolean {
    return this.#present !== undefined;
  }

  /** The supervisor is over: the call under way will not be answered otherwise. */
  end(): void {
    const present = this.#present;
    this.#present = undefined;
    if (present !== undefined) this.refuse(present, 'noproc');
  }

  /** To who names a child by an id where children have none. */
  get #noIds(): RefusalCode {
    return this.#parts.flags.flavour === 'dynamic' ? 'not_found' : 'simple_one_for_one';
  }

  /** Answer now, or give the work that has to be waited for. */
  serve(call: SupervisorCall): Work | undefined {
    const work = this.#judge(call);
    if (work === undefined) return undefined;
    this.#present = call;
    return (done) => {
      work(() => {
        this.#present = undefined;
        done();
      });
    };
  }

  #judge(call: SupervisorCall): Work | undefined {
    const { rows, flags } = this.#parts;
    switch (call.op) {
      case 'whichChildren':
        call.settle([...rows.values()].map(entryOf).reverse());
        return undefined;
      case 'countChildren':
        call.settle(countOf(flags, rows));
        return undefined;
      case 'startChild':
        return this.#startChild(call);
      case 'getChildSpec':
      case 'whichChild':
        this.#look(call);
        return undefined;
      case 'terminateChild':
        return this.#terminate(call);
      case 'restartChild':
        return this.#restart(call);
      case 'deleteChild':
        this.#delete(call);
        return undefined;
      default:
        return call satisfies never;
    }
  }

  #startChild(call: StartCall): Work | undefined {
    const { rows, flags } = this.#parts;
    const spec = this.#specFor(call);
    if (spec === undefined) return undefined;
    const present = rows.byRef ? undefined : rows.get(spec.id);
    const verdict = rows.byRef
      ? judgeStartDynamic(rows.size, flags.maxChildren ?? Number.POSITIVE_INFINITY)
      : judgeStartChild(placeOf(present));
    if (verdict.type === 'refuse') {
      this.refuse(call, verdict.code, present);
      return undefined;
    }
    return (done) => {
      const row = rows.add(spec);
      this.#startRow(call, row, done, () => rows.delete(row));
    };
  }

  /** Nothing when the input cannot be merged: the caller has been told. */
  #specFor(call: StartCall): FullChildSpec | undefined {
    try {
      return this.#mergedSpec(call);
    } catch (cause) {
      call.fail(errorFrom(cause));
      return undefined;
    }
  }

  #mergedSpec(call: StartCall): FullChildSpec {
    const { flags } = this.#parts;
    const spec = call.spec ?? flags.children[0];
    if (spec === undefined)
      throw new Error('a supervisor without a template was asked to start one');
    if (call.spec === undefined) return { ...spec, input: mergeInput(spec.input, call.extra) };
    if (flags.extraArguments === undefined) return spec;
    return { ...spec, input: mergeInput(flags.extraArguments, spec.input) };
  }

  #startRow(call: SupervisorCall, row: Row, done: () => void, onFailed: () => void): void {
    const { rows, walk } = this.#parts;
    walk.start([row], (outcome) => {
      if (outcome.type === 'started') {
        const isThere = rows.get(row.key) === row && row.standing.type !== 'down';
        const ignored =
          this.#parts.flags.flavour === 'dynamic'
            ? 'ignore'
            : { child: undefined, info: undefined };
        call.settle(isThere ? { child: refOf(row), info: row.info } : ignored);
      } else {
        this.#failedStart(call, row, outcome);
        onFailed();
      }
      done();
    });
  }

  #failedStart(
    call: SupervisorCall,
    row: Row,
    outcome: Exclude<StartOutcome, { readonly type: 'started' }>,
  ): void {
    const { path, rows } = this.#parts;
    const reason = outcome.type === 'failed' ? outcome.reason : SHUTDOWN;
    // No report: as in OTP, the answer is all that is said of a start that a caller asked for.
    row.lastReason = reason;
    rows.release(row);
    const error = reason.type === 'error' ? reason.error : undefined;
    const isTaken = error instanceof SupervisorError && error.code === 'already_started';
    // OTP since 2024: a start that hits a name which is taken answers `already_started` as it is.
    call.fail(isTaken ? error : new StartChildError(path, row.id, reason));
  }

  #restart(call: OfChild): Work | undefined {
    const row = this.#named(call);
    if (row === 'answered') return undefined;
    const verdict = judgeRestartChild(placeOf(row));
    if (verdict.type === 'refuse' || row === undefined) {
      this.#refused(call, verdict, row);
      return undefined;
    }
    return (done) => this.#startRow(call, row, done, () => undefined);
  }

  #delete(call: OfChild): void {
    const row = this.#named(call);
    if (row === 'answered') return;
    const verdict = judgeDeleteChild(placeOf(row));
    if (verdict.type === 'refuse' || row === undefined) {
      this.#refused(call, verdict, row);
      return;
    }
    this.#parts.rows.delete(row);
    call.settle(undefined);
  }

  #terminate(call: OfChild): Work | undefined {
    const { rows, walk, flags } = this.#parts;
    const isByName = typeof call.child === 'string';
    if (call.hurried === true) {
      const row = this.#find(call.child);
      if (row === undefined || row.standing.type === 'down') {
        if (row !== undefined) this.#forgetIfGone(row);
        call.settle(undefined);
        return undefined;
      }
    }
    if (rows.byRef === isByName) {
      this.refuse(call, rows.byRef ? this.#noIds : 'not_found');
      return undefined;
    }
    const row = this.#find(call.child);
    if (row === undefined && typeof call.child !== 'string') {
      const stranger = call.child.exitReason === undefined ? 'alive' : 'dead';
      const verdict = judgeStranger(flags.flavour ?? 'static', stranger);
      if (verdict.type === 'settle') call.settle(undefined);
      else this.refuse(call, verdict.code);
      return undefined;
    }
    const verdict = judgeTerminateChild(placeOf(row));
    if (verdict.type === 'refuse' || row === undefined) {
      this.#refused(call, verdict, row);
      return undefined;
    }
    if (verdict.type === 'settle') {
      rows.release(row);
      this.#forgetIfGone(row);
      call.settle(undefined);
      return undefined;
    }
    return (done) => {
      walk.stop([row], () => {
        row.standing = DOWN;
        this.#forgetIfGone(row);
        call.settle(undefined);
        done();
      });
    };
  }

  /** The specification of a temporary child goes with it, and so does that of every child without an id. */
  #forgetIfGone(row: Row): void {
    if (this.#parts.rows.byRef || row.spec.restart === 'temporary') this.#parts.rows.delete(row);
  }

  #look(call: OfChild): void {
    const { rows } = this.#parts;
    const { child, op } = call;
    const isById = typeof child === 'string';
    // Children with ids are not looked up by their references, and those without not by a text (OTP).
    const row = rows.byRef === isById ? undefined : this.#find(child);
    const isSpec = op === 'getChildSpec' && row === undefined;
    const template = isSpec ? templateFor(this.#parts.flags, child) : undefined;
    if (template !== undefined) call.settle(template);
    else if (rows.byRef && isById && op === 'whichChild') this.refuse(call, this.#noIds);
    else if (row === undefined) this.refuse(call, 'not_found');
    else call.settle(op === 'whichChild' ? entryOf(row) : specOf(row));
  }

  /** The row of a call that takes ids only. */
  #named(call: OfChild): Row | undefined | 'answered' {
    const { rows } = this.#parts;
    if (rows.byRef) {
      this.refuse(call, this.#noIds);
      return 'answered';
    }
    return typeof call.child === 'string' ? rows.get(call.child) : undefined;
  }

  #refused(
    call: OfChild,
    verdict: { readonly type: string } | Refusal,
    row: Row | undefined,
  ): void {
    this.refuse(call, 'code' in verdict ? verdict.code : 'not_found', row);
  }

  #find(child: ChildName): Row | undefined {
    const { rows } = this.#parts;
    if (typeof child === 'string') return rows.byRef ? undefined : rows.get(child);
    const row = rows.get(child.id);
    if (row === undefined) return undefined;
    // While its next incarnation starts, callers know only the last one.
    const isLast = row.standing.type === 'starting' && row.lastRef === child;
    return isLast || refOf(row) === child ? row : undefined;
  }
}
