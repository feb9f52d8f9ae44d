// How does one say which packages are missing? In the words that `python/src/caduceus/_packages.py` has for the same finding.

/** A requirement that an interpreter does not meet. */
export interface MissingPackage {
  /** E.g. `dspy>=3.4.1,<3.5`. */
  readonly requirement: string;
  /** The version that is there; null without any. */
  readonly found: string | null;
  /** The version is right, but it cannot be imported. */
  readonly isBroken?: boolean;
}

/** Who lacks what, and where. */
export function lackOf(
  framework: string,
  executable: string,
  missing: readonly MissingPackage[],
): string {
  const absent = missing.filter(({ found }) => found === null);
  const broken = missing.filter(({ isBroken }) => isBroken === true);
  const others = missing.filter((each) => !absent.includes(each) && !broken.includes(each));
  const clauses = [
    ...listed(absent, `which ${absent.length === 1 ? 'is' : 'are'} not installed`),
    ...others.map(
      ({ requirement, found }) => `${requirement}, of which ${found ?? 'none'} is installed`,
    ),
    ...listed(broken, 'which cannot be imported'),
  ];
  return `the ${framework} bridge needs ${clauses.join(', and ')} for ${executable}`;
}

function listed(packages: readonly MissingPackage[], finding: string): readonly string[] {
  if (packages.length === 0) return [];
  return [`${packages.map(({ requirement }) => requirement).join(', ')}, ${finding}`];
}

/** The command that mends it, for a shell. */
export function installCommand(executable: string, missing: readonly MissingPackage[]): string {
  const names = missing.map(({ requirement }) => requirement);
  // What is there by its metadata, pip would leave as it is.
  const force = missing.some(({ isBroken }) => isBroken === true) ? ['--force-reinstall'] : [];
  return [executable, '-m', 'pip', 'install', ...names, ...force].map(quoted).join(' ');
}

const PLAIN = /^[\w@%+=:,./-]+$/u;

/** As Python's `shlex.quote` does it. */
function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
