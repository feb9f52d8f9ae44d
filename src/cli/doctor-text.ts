// How does a person read the doctor's findings? A line for each part, and what to do about those that are broken.
import { isUsable } from '../registry/bridge-report.ts';
import type { PackageFacts } from '../registry/probe.ts';
import { preloadAdvice } from './doctor-bridges.ts';
import type {
  BridgeFinding,
  Findings,
  InterpreterFinding,
  LimitsFinding,
  Problem,
  SocketFolderFinding,
  WorkerFinding,
} from './doctor-findings.ts';

const LABEL_WIDTH = 14;
const WORDS_PER_LINE = 5;
const MEGABYTE = 1024 * 1024;

/** The findings as lines of text, without a line break at the end. */
export function doctorText(findings: Findings): string {
  const { version, node, python, interpreters, sources, bridges, workers } = findings;
  const { socketFolder, limits, problems, warnings } = findings;
  return [
    `caduceus ${version}`,
    '',
    part('Node', node.ok, `${node.version} (${node.wanted} is needed)`),
    part('Python', python !== null, python === null ? 'none' : python.version),
    ...(python === null ? [] : [note(`${python.executable}, ${python.because}`)]),
    ...interpreters.filter((each) => each !== python).map(interpreterLine),
    part('Sources', true, sources),
    ...bridges.flatMap(bridgeLines),
    ...workers.flatMap(workerLines),
    socketLine(socketFolder),
    limitsLine(limits),
    '',
    ...warnings.flatMap((each) => [...problemLines(each), '']),
    ...(problems.length === 0
      ? ['All is well: workers can run here.']
      : problems.flatMap((each, index) => [...(index === 0 ? [] : ['']), ...problemLines(each)])),
  ].join('\n');
}

function interpreterLine(found: InterpreterFinding): string {
  const { command, because, state, version, executable, isVenv, why } = found;
  if (state === 'broken') return note(`– ${command}, ${because}: does not run (${why})`);
  const kinds = [
    ...(isVenv ? ['a virtual environment'] : []),
    ...(state === 'too_old' ? ['too old, but for scripts of protocol v1'] : []),
  ];
  return note(`– ${[`${version} ${executable}`, because, ...kinds].join(', ')}`);
}

function bridgeLines(bridge: BridgeFinding): readonly string[] {
  const { name, isWanted, packages } = bridge;
  const isWell = packages.every(isUsable);
  const text = isWell ? `${name}: all that it needs is here` : `${name}: packages are missing`;
  const advice = preloadAdvice(bridge);
  return [
    isWell || isWanted
      ? part('Packages', isWell, text)
      : line('–', 'Packages', `${text} (it is not asked for)`),
    ...packages.map((each) => note(packageText(each))),
    ...(advice === undefined ? [] : [note(advice)]),
  ];
}

function packageText({ requirement, found, isSatisfied, error, ...trial }: PackageFacts): string {
  if (found === null) return `${requirement}: ${error ?? 'not installed'}`;
  if (!isSatisfied) return `${requirement}: ${found} is installed`;
  if (error !== null) return `${requirement}: ${found}, cannot be imported: ${error}`;
  const { importMs, hazard } = trial;
  const time = importMs === null ? 'nothing to import' : `imported in ${importMs} ms`;
  return `${requirement}: ${found}, ${time}${hazard === null ? '' : `; no fork after it is safe: ${hazard}`}`;
}

function workerLines({
  framework,
  version,
  operations,
  readyMs,
}: WorkerFinding): readonly string[] {
  return [
    part('Worker', true, `${framework} ${version}, a worker was ready after ${readyMs} ms`),
    ...inLines(operations).map(note),
  ];
}

function socketLine({ path, error, ...folder }: SocketFolderFinding): string {
  const { socketPathBytes, socketPathBytesMax, isNoexec } = folder;
  const room = `a socket's path has ${socketPathBytes} of ${socketPathBytesMax} bytes`;
  const noexec = isNoexec === true ? ', mounted noexec' : '';
  return part('Socket folder', error === null, `${path}, ${room}${noexec}`);
}

function limitsLine(limits: LimitsFinding): string {
  const { openFiles, processes, cores, memoryBytes, memoryLimitBytes, sharedMemoryBytes } = limits;
  const memory = memoryLimitBytes ?? memoryBytes;
  const text = [
    `${openFiles ?? 'any number of'} open files`,
    `${processes ?? 'any number of'} processes`,
    `${cores} cores`,
    `${inMegabytes(memory)} memory${memoryLimitBytes === null ? '' : ' (a limit)'}`,
    ...(sharedMemoryBytes === null ? [] : [`${inMegabytes(sharedMemoryBytes)} shared memory`]),
  ];
  return part('Limits', true, text.join(', '));
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / MEGABYTE)} MB`;
}

function problemLines({ code, message, traceback, advice }: Problem): readonly string[] {
  // Where a package is missing, the message says it all, and the traceback shows our own code only.
  const isTelling = traceback.length > 0 && code !== 'package_missing';
  const python = isTelling ? ["Python's last lines:", ...traceback.map(quoted)] : [];
  return [`${code}: ${message}`, ...python, '', `What to do: ${advice}`];
}

function inLines(words: readonly string[]): readonly string[] {
  const count = Math.ceil(words.length / WORDS_PER_LINE);
  return Array.from({ length: count }, (_, i) =>
    words.slice(i * WORDS_PER_LINE, (i + 1) * WORDS_PER_LINE).join(', '),
  );
}

function part(label: string, isWell: boolean, text: string): string {
  return line(isWell ? '✓' : '✗', label, text);
}

function line(mark: string, label: string, text: string): string {
  return `  ${mark} ${label.padEnd(LABEL_WIDTH)}${text}`;
}

function note(text: string): string {
  return `    ${' '.repeat(LABEL_WIDTH)}${text}`;
}

function quoted(text: string): string {
  return `  | ${text}`;
}
