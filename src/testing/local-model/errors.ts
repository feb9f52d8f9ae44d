// What can go wrong for someone who uses the local model? One class, told apart by its code.

export type LocalModelErrorCode =
  /** A fault that cannot be, or too many faults. */
  | 'LOCAL_MODEL_BAD_FAULT'
  /** No such request arrived in time. */
  | 'LOCAL_MODEL_WAIT_TIMEOUT'
  /** Too many waits for requests at once. */
  | 'LOCAL_MODEL_TOO_MANY_WAITS'
  /** The model was closed while something waited for it. */
  | 'LOCAL_MODEL_CLOSED';

/** An error of the local model itself, never one that it sends to a client. Branch on `code`. */
export class LocalModelError extends Error {
  override readonly name = 'LocalModelError';
  readonly code: LocalModelErrorCode;

  constructor(code: LocalModelErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
