import { describe, expect, it } from 'vitest';
import { pythonErrorKind, tellsOfBrokenDevice } from '../../../actors/ground/python-error-kind.ts';
import type { RemoteError } from '../../../actors/ground/worker-facts.ts';

const raised = (type: string, message = '', more: Partial<RemoteError> = {}): RemoteError => ({
  ...{ type, message, traceback: '', code: 'python_error' },
  ...more,
});

describe('an exception', () => {
  it.each([
    ...['RateLimitError', 'TooManyRequests', 'ResourceExhausted', 'ThrottlingException'],
    ...['TimeoutError', 'Timeout', 'APITimeoutError', 'ConnectTimeout', 'ReadTimeout'],
    ...['WriteTimeout', 'PoolTimeout', 'ConnectTimeoutError', 'ReadTimeoutError'],
    ...['ServerTimeoutError', 'GatewayTimeout', 'DeadlineExceeded'],
    ...['ConnectionError', 'ConnectionResetError', 'ConnectionRefusedError', 'BrokenPipeError'],
    ...['ConnectionAbortedError', 'APIConnectionError', 'ConnectError', 'ReadError', 'WriteError'],
    ...['RemoteProtocolError', 'RemoteDisconnected', 'IncompleteRead', 'ServerDisconnectedError'],
    ...['ClientConnectorError', 'ClientOSError', 'EndpointConnectionError'],
    ...['ServiceUnavailableError', 'ServiceUnavailable', 'InternalServerError', 'BadGatewayError'],
    'OverloadedError',
  ])('of a provider may pass: %s', (type) => {
    expect(pythonErrorKind(raised(type))).toBe('passing');
  });

  it.each(['rate_limited', 'timeout', 'connection_error', 'unavailable', 'overloaded'])(
    'may pass where its bridge says so: %s',
    (code) => {
      expect(pythonErrorKind(raised('MyError', '', { code }))).toBe('passing');
    },
  );

  it.each([
    'ValueError',
    'KeyError',
    'RuntimeError',
    'MemoryError',
    'AuthenticationError',
    'OSError',
  ])('does not mend itself: %s', (type) => {
    expect(pythonErrorKind(raised(type, 'a timeout, a rate limit'))).toBe('lasting');
  });

  it('may pass when what it was raised from may', () => {
    const cause = raised('RateLimitError');
    const between = raised('KeyError', '', { cause });
    expect(pythonErrorKind(raised('RuntimeError', '', { cause: between }))).toBe('passing');
    expect(pythonErrorKind(raised('RuntimeError', '', { cause: raised('KeyError') }))).toBe(
      'lasting',
    );
  });

  it('is of the device in its own words, whatever it was raised from', () => {
    const message = 'CUDA error: device-side assert triggered';
    const cause = raised('TimeoutError');
    expect(pythonErrorKind(raised('RuntimeError', message, { cause }))).toBe('device');
    const wrapped = raised('ValueError', '', { cause: raised('RuntimeError', message) });
    expect(pythonErrorKind(wrapped)).toBe('device');
  });
});

describe('a text', () => {
  it.each([
    'RuntimeError: CUDA error: an illegal memory access was encountered',
    'CUDA error: an illegal instruction was encountered',
    'CUDA error: misaligned address',
    'CUDA error: unspecified launch failure',
    'CUDA error: device-side assert triggered',
    'AcceleratorError: CUDA error: invalid program counter',
    'CUDA error: hardware stack error',
    'CUDA error: uncorrectable ECC error encountered',
    'CUDA error: the launch timed out and was terminated',
    'CUDA error: uncorrectable NVLink error detected during the execution',
    'HIP error: an illegal memory access was encountered',
    'CUDARuntimeError: cudaErrorIllegalAddress: an error',
    'cudaErrorMisalignedAddress',
    'cudaErrorLaunchFailure',
    'cudaErrorLaunchTimeout',
    'cudaErrorAssert',
    'cudaErrorInvalidPc',
    'cudaErrorHardwareStackError',
    'cudaErrorECCUncorrectable',
    'XlaRuntimeError: INTERNAL: CUDA_ERROR_ILLEGAL_ADDRESS',
    'CUDA_ERROR_MISALIGNED_ADDRESS',
    'CUDA_ERROR_LAUNCH_FAILED',
    'CUDA_ERROR_ASSERT',
    'CUDA_ERROR_INVALID_PC',
    'CUDA_ERROR_HARDWARE_STACK_ERROR',
    'CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`',
    'cuDNN error: CUDNN_STATUS_INTERNAL_ERROR',
    'cuDNN error: CUDNN_STATUS_MAPPING_ERROR',
  ])('tells of a context that is broken for good: %s', (text) => {
    expect(tellsOfBrokenDevice(text)).toBe(true);
  });

  it.each([
    ['no memory left on the GPU', 'OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB'],
    ['the same, of the driver', 'CUDA_ERROR_OUT_OF_MEMORY'],
    ['the same, of a library', 'CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`'],
    ['a GPU that is not there', 'CUDA error: invalid device ordinal'],
    ['a GPU that is too old', 'CUDA error: no kernel image is available for execution'],
    ['no GPU at all', 'an illegal memory access was encountered by the chip of a relationship'],
    ['nothing', ''],
  ])('tells of nothing that is broken for good: %s', (_what, text) => {
    expect(tellsOfBrokenDevice(text)).toBe(false);
  });
});
