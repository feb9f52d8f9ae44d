// How does a person read the doctor's findings? A line for each part, and what to do about the one that is broken.
import type { Findings, Problem } from './doctor.ts';

const LABEL_WIDTH = 10;
const WORDS_PER_LINE = 5;

/** The findings as lines of text, without a line break at the end. */
export function doctorText(findings: Findings): string {
  const { version, node, python, sources, bridge, problem } = findings;
  return [
    `caduceus ${version}`,
    '',
    part('Node', node.ok, `${node.version} (${node.wanted} is needed)`),
    part('Python', python !== null, python === null ? 'none' : python.version),
    ...(python === null ? [] : [note(`${python.executable}, ${python.because}`)]),
    part('Sources', true, sources),
    ...bridgeLines(bridge),
    '',
    ...(problem === null ? ['All is well: workers can run here.'] : problemLines(problem)),
  ].join('\n');
}

function bridgeLines(bridge: Findings['bridge']): readonly string[] {
  if (bridge === null) return [part('Bridge', false, 'no worker of the DSPy bridge got ready')];
  const { framework, version, operations, readyMs } = bridge;
  return [
    part('Bridge', true, `${framework} ${version}, a worker was ready after ${readyMs} ms`),
    ...inLines(operations).map(note),
  ];
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
  return `  ${isWell ? '✓' : '✗'} ${label.padEnd(LABEL_WIDTH)}${text}`;
}

function note(text: string): string {
  return `    ${' '.repeat(LABEL_WIDTH)}${text}`;
}

function quoted(line: string): string {
  return `  | ${line}`;
}
