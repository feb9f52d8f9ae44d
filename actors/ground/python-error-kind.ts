// Python raised: can it be otherwise next time? Judged by the class of the exception, its code, and for devices its text.
import type { RemoteError } from './worker-facts.ts';

/**
 * `passing`: a provider or a connection of it did not do its part, which it may do later. `device`: the worker's GPU context is broken for good, and
 * another worker's is not. `lasting`: all else; a `ValueError` does not mend itself.
 */
export type PythonErrorKind = 'passing' | 'device' | 'lasting';

/** Exceptions of Python's own, of httpx, requests, urllib3, aiohttp and http.client, and of OpenAI's, Anthropic's, LiteLLM's, Google's and AWS's clients. */
const PASSING_TYPES: ReadonlySet<string> = new Set([
  // Limits of a rate.
  ...['RateLimitError', 'TooManyRequests', 'ResourceExhausted', 'ThrottlingException'],
  // Times.
  ...['TimeoutError', 'Timeout', 'APITimeoutError', 'ConnectTimeout', 'ReadTimeout'],
  ...['WriteTimeout', 'PoolTimeout', 'ConnectTimeoutError', 'ReadTimeoutError'],
  ...['ServerTimeoutError', 'GatewayTimeout', 'DeadlineExceeded'],
  // Connections.
  ...['ConnectionError', 'ConnectionResetError', 'ConnectionRefusedError', 'BrokenPipeError'],
  ...['ConnectionAbortedError', 'APIConnectionError', 'ConnectError', 'ReadError', 'WriteError'],
  ...['RemoteProtocolError', 'RemoteDisconnected', 'IncompleteRead', 'ServerDisconnectedError'],
  ...['ClientConnectorError', 'ClientOSError', 'EndpointConnectionError'],
  // A provider that is down, or has too much to do.
  ...['ServiceUnavailableError', 'ServiceUnavailable', 'InternalServerError', 'BadGatewayError'],
  ...['OverloadedError'],
]);

/** What a bridge may say in its own words. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  ...['rate_limited', 'timeout', 'connection_error', 'unavailable', 'overloaded'],
]);

/**
 * What leaves a CUDA context unusable until its process ends, in the words of CUDA's runtime, its driver API and the libraries above. No memory is none of them, nor a GPU that is not there.
 */
const DEVICE_BROKEN = new RegExp(
  [
    'illegal memory access|illegal instruction|misaligned address|unspecified launch failure',
    'device-side assert|invalid program counter|hardware stack error|uncorrectable ECC error',
    'launch timed out|uncorrectable NVLink error',
    '(?:cudaError|CUDA_ERROR_)_?(?:Illegal|Misaligned|LaunchFailure|LAUNCH_FAILED|LaunchTimeout|Assert|InvalidPc|INVALID_PC|HardwareStack|HARDWARE_STACK|ECCUncorrectable)',
    'CU(?:BLAS|DNN)_STATUS_(?:EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR)',
  ].join('|'),
  'iu',
);
const DEVICE = /cuda|cublas|cudnn|\bhip\b/iu;

/** Whether a text, an exception's or the end of stderr, tells of a GPU context that is broken for good. */
export function tellsOfBrokenDevice(text: string): boolean {
  return DEVICE.test(text) && DEVICE_BROKEN.test(text);
}

/** The kind of an exception: its own, else that of what it was raised from. */
export function pythonErrorKind(error: RemoteError): PythonErrorKind {
  if (tellsOfBrokenDevice(`${error.type}: ${error.message}`)) return 'device';
  if (PASSING_TYPES.has(error.type) || PASSING_CODES.has(error.code)) return 'passing';
  return error.cause === undefined ? 'lasting' : pythonErrorKind(error.cause);
}
