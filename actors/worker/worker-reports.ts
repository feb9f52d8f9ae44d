// What does a watcher hear of a worker's process? Translates facts of the port to events of the bus.
import type { Bus } from '../ground/bus.ts';
import type { PortFact } from '../port/port-types.ts';

type ReportedFact = Extract<
  PortFact,
  { readonly type: 'launched' | 'greeted' | 'logged' | 'output' }
>;

export function reportFact(
  bus: Bus,
  worker: { readonly path: string; readonly epoch: number },
  currentCallId: number | undefined,
  fact: ReportedFact,
): void {
  switch (fact.type) {
    case 'launched':
      bus.emit('child.launched', { ...worker, pid: fact.pid });
      return;
    case 'greeted':
      bus.emit('child.greeted', { ...worker, hello: fact.hello });
      return;
    case 'logged': {
      const { level, logger, message, callId } = fact.log;
      bus.emit('worker.logged', { ...worker, callId: callId ?? undefined, level, logger, message });
      return;
    }
    case 'output': {
      const { stream, line } = fact;
      bus.emit('worker.output', { ...worker, callId: currentCallId, stream, line });
      return;
    }
    default:
      fact satisfies never;
  }
}
