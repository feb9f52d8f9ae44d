// What does an operator read of the life of a pool, and of workers that come and go by plan? One line for each.
import type { Logger } from 'pino';

import { formatReason } from '../../supervisors/report-format.ts';
import type { Watch } from './log-watch.ts';

/** @returns the functions that end it. */
export function logPools(on: Watch, logger: Logger): readonly (() => void)[] {
  return [
    on('pool.changed', ({ pool, from, to, because }) => {
      logger.info({ pool, from, to }, `pool ${pool}: ${from} to ${to}: ${because}`);
    }),
    on('pool.resized', ({ pool, from, to, because }) => {
      logger.info({ pool, from, to, because }, `pool ${pool}: size ${from} to ${to} (${because})`);
    }),
    on('worker.starting', ({ pool, worker, because, replaces }) => {
      const place = replaces === undefined ? '' : ` in place of ${replaces}`;
      logger.info(
        { pool, worker, because, replaces },
        `pool ${pool}: ${worker} is started${place} (${because})`,
      );
    }),
    on('worker.retiring', ({ pool, worker, epoch, because, drainMs }) => {
      logger.info(
        { pool, worker, epoch, because },
        `pool ${pool}: ${worker} (epoch ${epoch}) goes (${because}), within ${drainMs} ms`,
      );
    }),
    on('worker.start_failed', ({ pool, worker, because, reason, retryInMs }) => {
      const next = retryInMs === undefined ? '' : `; another is tried in ${retryInMs} ms`;
      logger.warn(
        { pool, worker, because, retryInMs },
        `pool ${pool}: ${worker}, started for ${because}, did not become ready: ${formatReason(reason)}; the others go on${next}`,
      );
    }),
  ];
}
