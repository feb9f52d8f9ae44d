// How does a test get a Python environment of its own, with distributions that nobody has published? Nothing is asked of a network.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const DEADLINE_MS = 60_000;
const SITE = 'import sysconfig; print(sysconfig.get_path("purelib"))';

export interface MadeEnvironment {
  readonly python: string;
  /** Install a distribution by hand: `code` is that of its module, which has its name. */
  install(name: string, version: string, code?: string): void;
}

/** A virtual environment that holds the standard library alone. */
export function makeEnvironment(python: string, folder: string): MadeEnvironment {
  const options = { encoding: 'utf8', timeout: DEADLINE_MS, stdio: 'pipe' } as const;
  execFileSync(python, ['-m', 'venv', '--without-pip', folder], options);
  const own = path.join(folder, 'bin/python');
  const site = execFileSync(own, ['-c', SITE], options).trim();
  return {
    python: own,
    install: (name, version, code = '') => {
      const module = name.replaceAll('-', '_');
      const info = `${module}-${version}.dist-info`;
      mkdirSync(path.join(site, info), { recursive: true });
      writeFileSync(path.join(site, `${module}.py`), code);
      writeFileSync(
        path.join(site, info, 'METADATA'),
        `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      );
      writeFileSync(path.join(site, info, 'RECORD'), `${module}.py,,\n${info}/METADATA,,\n`);
    },
  };
}

const WHEEL = `
import sys, zipfile
file, name, version, module, code = sys.argv[1:]
info = f"{module}-{version}.dist-info"
files = {
    f"{module}.py": code,
    f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: by hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
files[f"{info}/RECORD"] = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(file, "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
`;

/** A distribution that pip can install from a folder (`PIP_FIND_LINKS`), with one module of its name. */
export function makeWheel(
  folder: string,
  name: string,
  version: string,
  { python, code = '' }: { readonly python: string; readonly code?: string },
): void {
  const module = name.replaceAll('-', '_');
  const file = path.join(folder, `${module}-${version}-py3-none-any.whl`);
  execFileSync(python, ['-c', WHEEL, file, name, version, module, code], {
    ...{ timeout: DEADLINE_MS, stdio: 'pipe' },
  });
}
