// How is a process signalled that is not a child of ours? The port for that; tests put scripted processes behind it.
import type { KillSignal, NoticeSignal } from './launcher.ts';

export interface Signals {
  /** All of the group that this process leads. Nobody left in it is no error. */
  signalGroup(pid: number, signal: KillSignal): void;
  /** This process alone. Its having ended is no error. */
  signalProcess(pid: number, signal: NoticeSignal): void;
}

/** Real signals. The caller knows that the number has not become another's. */
export const systemSignals: Signals = {
  signalGroup: (pid, signal) => send(-pid, signal),
  signalProcess: (pid, signal) => send(pid, signal),
};

function send(pid: number, signal: KillSignal | NoticeSignal): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
