// Does the end of this child end its supervisor? OTP's automatic shutdown (supervisor, "Automatic Shutdown"; `do_auto_shutdown`).
/** Whether the own end of significant children ends their supervisor: of any of them, or of the last. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/** Judged when a child's exit is final: it made it itself, and will not be restarted. */
export interface FinalExit {
  readonly significant: boolean;
  /** Other significant children that are up, starting, or being restarted. */
  readonly significantLeft: number;
}

export function endsSupervisor(autoShutdown: AutoShutdown, exit: FinalExit): boolean {
  if (!exit.significant) return false;
  switch (autoShutdown) {
    case 'never':
      return false;
    case 'any_significant':
      return true;
    case 'all_significant':
      return exit.significantLeft === 0;
    default:
      return autoShutdown satisfies never;
  }
}
