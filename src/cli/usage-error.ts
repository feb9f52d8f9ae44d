// What did the user type wrong? Ends a command with its own status, and never is an error of a call.

/** The command cannot be understood as it was typed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Status of a command that could not be understood. */
export const EXIT_USAGE = 2;
/** Status of a command that did not do what it should. */
export const EXIT_FAILED = 1;
/** Status of a command that was interrupted, as shells have it for SIGINT. */
export const EXIT_INTERRUPTED = 130;
