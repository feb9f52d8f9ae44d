// How is the doctor asked? Its options, what it says meanwhile, and the status that it ends with.
import { suggestion } from '../../actors/ground/nearest.ts';
import { builtInNames, type During } from './doctor-bridges.ts';
import { fixEnvironment } from './doctor-fix.ts';
import { doctorText } from './doctor-text.ts';
import { examine, type Examination } from './doctor.ts';
import { withProgress, type Terminal } from './terminal.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, UsageError } from './usage-error.ts';

export interface DoctorOptions {
  readonly python?: string;
  readonly json?: true;
  /** Make `.venv` here if it is missing, and install into it what the bridges need. */
  readonly fix?: true;
  /** Built-in bridges. Default: `dspy`. */
  readonly bridge?: readonly string[];
}

const DEFAULT_BRIDGES = ['dspy'];

/**
 * Examine this machine, and say what was found.
 * @returns the status of the process: 0 when workers can run here, 1 when not.
 * @throws {@link UsageError} for a bridge that is not built in.
 */
export async function doctorCommand(
  terminal: Terminal,
  options: DoctorOptions,
  release: Pick<Examination, 'version' | 'nodeWanted'>,
): Promise<number> {
  const bridges = options.bridge ?? DEFAULT_BRIDGES;
  const known = builtInNames();
  for (const name of bridges) {
    if (!known.includes(name))
      throw new UsageError(`${name} is no built-in bridge; ${suggestion(name, known)}`);
  }
  let { python } = options;
  if (options.fix === true) {
    const fixed = await fixEnvironment(terminal, { python, bridges });
    if (fixed.type === 'interrupted') return EXIT_INTERRUPTED;
    if (fixed.type !== 'done') {
      terminal.errors.write(`${fixed.why}\n\nWhat to do: ${fixed.advice}\n`);
      return EXIT_FAILED;
    }
    python = fixed.python;
  }
  const during: During = (what, act) => withProgress(terminal, what, act);
  const findings = await examine({ ...release, python, bridges, during });
  const text = options.json === true ? JSON.stringify(findings) : doctorText(findings);
  terminal.output.write(`${text}\n`);
  return findings.ok ? 0 : EXIT_FAILED;
}
