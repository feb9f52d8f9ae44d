// What is wrong with a call, or with a bridge, before any worker is asked, or with its answer after? Errors of adapters and of the registry.
import { CaduceusError, type Outcome } from './errors.ts';

/** The arguments are not what the operation takes; nothing was sent. */
export class InvalidArgumentsError extends CaduceusError {
  readonly code = 'invalid_arguments';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'notSent';
  /** Where, from the arguments' top, e.g. `inputs.0.name`; empty when the whole of them is wrong. */
  readonly field: string;

  constructor(op: string, field: string, problem: string) {
    super(`${op}: ${field === '' ? 'the arguments' : field}: ${problem}; nothing was sent`);
    this.field = field;
  }
}

/** What the bridge answered is not what its adapter says that it answers. The call has run. */
export class InvalidResultError extends CaduceusError {
  readonly code = 'invalid_result';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'maybeExecuted';
  readonly field: string;

  constructor(op: string, field: string, problem: string) {
    super(`${op} answered what its adapter does not know: ${field || 'the result'}: ${problem}`);
    this.field = field;
  }
}

/** Several bridges have made a program of this id in this scope; nothing was sent. */
export class AmbiguousIdError extends CaduceusError {
  readonly code = 'ambiguous_id';
  readonly category = 'configuration_error';
  override readonly outcome: Outcome = 'notSent';
  readonly id: string;
  readonly bridges: readonly string[];

  constructor(id: string, bridges: readonly string[]) {
    super(`${id} is a program of ${bridges.join(' and of ')}; say which with the option bridge`);
    this.id = id;
    this.bridges = bridges;
  }
}

/** The registry has no such bridge, or has it already. Nothing was changed. */
export class BridgeRegistryError extends CaduceusError {
  readonly code: 'not_found' | 'already_registered';
  readonly category = 'configuration_error';
  readonly bridgeName: string;

  constructor(code: BridgeRegistryError['code'], bridgeName: string, problem: string) {
    super(`bridge ${bridgeName}: ${problem}`);
    this.code = code;
    this.bridgeName = bridgeName;
  }
}
