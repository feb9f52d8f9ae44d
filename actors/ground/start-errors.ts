// Why could it not start? Errors of configuration, of interpreters and of bridges that do not come up.
import { CaduceusError } from './errors.ts';
import type { RemoteError } from './worker-facts.ts';

/** A configuration value is wrong; `field` names it as the caller wrote it. Nothing was started. */
export class InvalidConfigError extends CaduceusError {
  readonly code = 'invalid_config';
  readonly category = 'configuration_error';
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}

/** No Python interpreter could be run. The message lists what was tried. */
export class PythonNotFoundError extends CaduceusError {
  readonly code = 'python_not_found';
  readonly category = 'initialization_error';

  constructor(tried: readonly string[]) {
    super(
      `no Python interpreter could be run; tried ${tried.join('; ')}. Install Python 3.10 or newer, or name one with the option "python" or with CADUCEUS_PYTHON`,
    );
  }
}

/** The interpreter runs but is older than the worker needs. */
export class PythonTooOldError extends CaduceusError {
  readonly code = 'python_too_old';
  readonly category = 'initialization_error';
  readonly found: string;
  readonly wanted: string;

  constructor(executable: string, found: string, wanted: string) {
    super(`${executable} is Python ${found}, but ${wanted} or newer is needed`);
    this.found = found;
    this.wanted = wanted;
  }
}

/** The bridge's script does not exist or is not a file. */
export class ScriptNotFoundError extends CaduceusError {
  readonly code = 'script_not_found';
  readonly category = 'configuration_error';
  readonly scriptPath: string;

  constructor(scriptPath: string, problem: string) {
    super(`bridge script ${scriptPath}: ${problem}`);
    this.scriptPath = scriptPath;
  }
}

/** The bridge could not be imported or built. `code` is `package_missing` when that is the cause; `traceback` is Python's. */
export class BridgeStartError extends CaduceusError {
  readonly code: 'bridge_start_failed' | 'package_missing';
  readonly category = 'initialization_error';
  readonly pythonType: string;
  readonly traceback: string;

  constructor(remote: RemoteError) {
    super(`the bridge did not start: ${remote.type}: ${remote.message}`);
    this.code = remote.code === 'package_missing' ? 'package_missing' : 'bridge_start_failed';
    this.pythonType = remote.type;
    this.traceback = remote.traceback;
  }
}

/** The process itself could not be started (`cause` is the system's error). */
export class SpawnFailedError extends CaduceusError {
  readonly code = 'spawn_failed';
  readonly category = 'initialization_error';

  constructor(command: string, cause: Error) {
    super(`${command} could not be started: ${cause.message}`, { cause });
  }
}

/** The other side broke the wire's rules (`docs/protocol.md`); its process is ended. */
export class ProtocolError extends CaduceusError {
  readonly code = 'protocol_error';
  readonly category = 'communication_error';
}
