// What may a worker see of our environment? An allow-list: secrets of the host stay with the host.

/** Names that Python, the dynamic loader, TLS and the thread pools of ML libraries need; nothing that usually holds a secret. */
const ALLOWED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'HF_HOME',
  'HF_HUB_OFFLINE',
  'CUDA_VISIBLE_DEVICES',
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'OPENBLAS_CORETYPE',
  'OPENBLAS_L2_SIZE',
  'MKL_NUM_THREADS',
]);

/**
 * The environment of a worker: the allowed part of `host`, then ours, then what the user gave for this bridge (which wins).
 * @param extra variables from the bridge's configuration, e.g. an API key that its framework reads from there.
 */
export function workerEnv(
  host: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    if (value !== undefined && (ALLOWED.has(name) || name.startsWith('LC_'))) env[name] = value;
  }
  return { ...env, PYTHONUNBUFFERED: '1', PYTHONUTF8: '1', ...extra };
}
