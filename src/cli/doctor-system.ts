// Does the system give workers what they need? The folder of their sockets, and what the process may open, start and remember.
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../actors/ground/clock.ts';
import { errorFrom } from '../../actors/ground/error-from.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import { RUN_PREFIX } from '../../actors/port/ledger.ts';
import { SocketTransport } from '../../actors/port/socket-transport.ts';
import type { LimitsFinding, Problem, SocketFolderFinding } from './doctor-findings.ts';

/** What `mkdtemp` adds to a name. */
const RANDOM_NAME = 'XXXXXX';

/** Make a socket where a run would, and take it away again. */
export async function lookAtSocketFolder(): Promise<SocketFolderFinding> {
  const path = tmpdir();
  const socket = join(path, `${RUN_PREFIX}${RANDOM_NAME}`, 's');
  const mounts = readText('/proc/self/mountinfo');
  return {
    path,
    socketPathBytes: Buffer.byteLength(socket),
    socketPathBytesMax: LIMITS.socketPathBytesMax,
    error: await trySocket(),
    isNoexec: mounts === undefined ? null : mountOptionsOf(mounts, path).includes('noexec'),
  };
}

async function trySocket(): Promise<string | null> {
  try {
    const transport = await SocketTransport.listen(systemClock);
    await transport.close();
    return null;
  } catch (error) {
    return errorFrom(error).message;
  }
}

/** What the limits of this process are. */
export function lookAtLimits(): LimitsFinding {
  const limits = readText('/proc/self/limits') ?? '';
  const memoryBytes = totalmem();
  const constrained = process.constrainedMemory();
  return {
    openFiles: softLimitOf(limits, 'Max open files'),
    processes: softLimitOf(limits, 'Max processes'),
    cores: availableParallelism(),
    memoryBytes,
    memoryLimitBytes: constrained > 0 && constrained < memoryBytes ? constrained : null,
    sharedMemoryBytes: sizeOf('/dev/shm'),
  };
}

/**
 * The options of the file system that holds a path.
 * @param mounts the text of `/proc/self/mountinfo`.
 */
export function mountOptionsOf(mounts: string, path: string): readonly string[] {
  let best = { point: '', options: '' };
  for (const line of mounts.split('\n')) {
    const [, , , , point = '', options = ''] = line.split(' ');
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of two on the same point the later one lies on top.
    if (point !== '' && holds && point.length >= best.point.length) best = { point, options };
  }
  return best.options.split(',');
}

/**
 * A soft limit of a process; null when there is none.
 * @param limits the text of `/proc/self/limits`.
 */
export function softLimitOf(limits: string, name: string): number | null {
  const line = limits.split('\n').find((each) => each.startsWith(name));
  const [soft = ''] = line?.slice(name.length).trim().split(/\s+/u) ?? [];
  return /^\d+$/u.test(soft) ? Number(soft) : null;
}

/** Five sockets and pipes for each worker: enough for a pool of a hundred and what else a program opens. */
const OPEN_FILES_FEW = 1_024;
/** Threads count as well, and a framework starts one for each core. */
const PROCESSES_FEW = 512;
/** What torch needs to hand tensors to its own helpers; containers have 64 MB unless told otherwise. */
const SHARED_MEMORY_FEW_BYTES = 128 * 1024 * 1024;

/** What keeps workers from running. */
export function socketProblems({ path, error }: SocketFolderFinding): readonly Problem[] {
  if (error === null) return [];
  const message = `no socket can be made in ${path}: ${error}`;
  const advice =
    'Name another folder with TMPDIR: a short path, on a local disk, that you may write to.';
  return [{ code: 'socket_folder_unusable', message, traceback: [], advice }];
}

/** What may trouble workers later. */
export function systemWarnings(
  { path, isNoexec }: SocketFolderFinding,
  { openFiles, processes, sharedMemoryBytes }: LimitsFinding,
): readonly Problem[] {
  const warnings: Problem[] = [];
  const warn = (code: string, message: string, advice: string): void => {
    warnings.push({ code, message, traceback: [], advice });
  };
  if (isNoexec === true) {
    const message = `${path} does not let files be executed: a framework that compiles code there (torch.compile, Triton) fails`;
    warn('noexec', message, 'Name another folder with TMPDIR, or leave such features alone.');
  }
  if (openFiles !== null && openFiles < OPEN_FILES_FEW) {
    const message = `only ${openFiles} files may be open, and each worker needs five`;
    warn('few_open_files', message, `Raise it: ulimit -n ${OPEN_FILES_FEW}.`);
  }
  if (processes !== null && processes < PROCESSES_FEW) {
    const message = `only ${processes} processes and threads may run`;
    warn('few_processes', message, `Raise it: ulimit -u ${PROCESSES_FEW}.`);
  }
  if (sharedMemoryBytes !== null && sharedMemoryBytes < SHARED_MEMORY_FEW_BYTES) {
    const message = `/dev/shm has ${Math.floor(sharedMemoryBytes / (1024 * 1024))} MB: torch's data loaders fail when it is full`;
    warn('little_shared_memory', message, 'In Docker: --shm-size=1g.');
  }
  return warnings;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function sizeOf(folder: string): number | null {
  try {
    const { blocks, bsize } = statfsSync(folder);
    return blocks * bsize;
  } catch {
    return null;
  }
}
