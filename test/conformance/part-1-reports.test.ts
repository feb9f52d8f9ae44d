// Do reports read as OTP's? Cases 89 and 90 of supervisor_SUITE; case 29 stands with the restart types.
import { describe, expect } from 'vitest';

import type {
  Offender,
  SupervisorProgress,
  SupervisorReport,
} from '../../actors/ground/supervision-facts.ts';
import { formatReport } from '../../supervisors/report-format.ts';
import { std, exitingAs } from './children.ts';
import { scenario } from './scenario.ts';
import { supervise } from './supervised.ts';

const CHILD: Offender = {
  ...{ pid: 'root/child1#1', id: 'child1', path: 'root/child1', restart: 'permanent' },
  ...{ significant: false, shutdown: 1_000, type: 'worker' },
};
const SEVERAL: Offender = { ...CHILD, pid: undefined, path: undefined, nbChildren: 3 };
const report = (offender: Offender): SupervisorReport => ({
  ...{ supervisor: 'root', errorContext: 'shutdown_error', offender },
  reason: { type: 'shutdown', detail: { a: { b: { c: { d: 'e' } } } } },
});
const PROGRESS: SupervisorProgress = { supervisor: 'root', level: 'info', started: CHILD };

describe('reports', () => {
  scenario(
    89,
    'format_log_1',
    'of reports as they are told on the bus; the legacy form of format_log/1 does not exist here',
    async () => {
      const held = await supervise({ children: [{ id: 'child1', start: std, shutdown: 1_000 }] });
      await held.tell(await held.child('child1'), {
        type: 'exit',
        reason: { type: 'killed' },
      } as never);
      const [killed] = held.world.told('supervisor.reported');
      const [started] = held.world.told('supervisor.progress');
      expect(formatReport(killed!)).toBe(
        [
          'SUPERVISOR REPORT',
          '    supervisor: root',
          '    errorContext: child_terminated',
          '    reason: killed',
          '    offender:',
          '        pid: root/child1#1',
          '        id: child1',
          '        restart: permanent',
          '        significant: false',
          '        shutdown: 1000',
          '        type: worker',
        ].join('\n'),
      );
      expect(formatReport(killed!, { singleLine: true })).toBe(
        'Supervisor: root. Context: child_terminated. Reason: killed. Offender: id=child1,pid=root/child1#1.',
      );
      expect(formatReport(started!, { singleLine: true })).toBe(
        'Supervisor: root. Started: id=child1,pid=root/child1#1.',
      );
      await held.stop();
      const simple = await supervise({
        strategy: 'simple_one_for_one',
        children: [{ id: 'child', start: exitingAs({ type: 'normal' }) }],
      });
      for (let count = 0; count < 3; count += 1) await simple.start();
      await simple.stop();
      const reports = simple.world.told('supervisor.reported');
      expect(reports.map((one) => formatReport(one, { singleLine: true }))).toEqual([
        'Supervisor: root. Context: shutdown_error. Reason: normal. Offender: id=child,nb_children=3.',
      ]);
    },
  );

  scenario(
    90,
    'format_log_2',
    'depth and characters are bounds of formatReport; only the reason is shortened by depth, the few fields of a child are always shown',
    () => {
      const line = (offender: Offender, bounds: { depth?: number; chars?: number }): string =>
        formatReport(report(offender), { singleLine: true, ...bounds });
      expect(line(CHILD, {})).toBe(
        "Supervisor: root. Context: shutdown_error. Reason: shutdown ({ a: { b: { c: { d: 'e' } } } }). Offender: id=child1,pid=root/child1#1.",
      );
      expect(line(CHILD, { depth: 3 })).toBe(
        'Supervisor: root. Context: shutdown_error. Reason: shutdown ({ a: { b: [Object] } }). Offender: id=child1,pid=root/child1#1.',
      );
      expect(line(SEVERAL, { depth: 1 })).toBe(
        'Supervisor: root. Context: shutdown_error. Reason: shutdown (...). Offender: id=child1,nb_children=3.',
      );
      expect(line(CHILD, { chars: 105 })).toBe(
        'Supervisor: root. Context: shutdown_error. Reason: shutdown ({.... Offender: id=child1,pid=root/child1#1.',
      );
      for (const word of [report(CHILD), report(SEVERAL), PROGRESS]) {
        for (const singleLine of [true, false]) {
          const text = formatReport(word, { singleLine, chars: 40 });
          expect(text).toHaveLength(40);
          expect(text).toMatch(/\.\.\.$/u);
        }
      }
      expect(formatReport(report(SEVERAL), { depth: 1 })).toContain(
        '    reason: shutdown (...)\n    offender:\n        nbChildren: 3\n        id: child1\n',
      );
    },
  );
});
