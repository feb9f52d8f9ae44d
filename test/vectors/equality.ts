// Is what came back from Python what was sent? The equality table of `docs/protocol.md` §5, for JavaScript.
import { bytesOf, dtypeOf, isNdArray, type NdArray } from '../../actors/port/nd-array.ts';

/** Whether `back` is what the table says of `sent` once it has been to Python and back. */
export function areEqual(sent: unknown, back: unknown): boolean {
  if (typeof sent === 'bigint') {
    const isSafe = sent >= Number.MIN_SAFE_INTEGER && sent <= Number.MAX_SAFE_INTEGER;
    return isSafe ? back === Number(sent) : back === sent;
  }
  if (typeof sent !== 'object' || sent === null) return Object.is(sent, back);
  if (typeof back !== 'object' || back === null) return false;
  if (Array.isArray(sent)) {
    return (
      Array.isArray(back) &&
      sent.length === back.length &&
      sent.every((item, index) => areEqual(item, back[index]))
    );
  }
  if (sent instanceof Date) return back instanceof Date && sent.getTime() === back.getTime();
  if (Buffer.isBuffer(sent)) return Buffer.isBuffer(back) && sent.equals(back);
  if (sent instanceof ArrayBuffer) {
    return Buffer.isBuffer(back) && Buffer.compare(new Uint8Array(sent), back) === 0;
  }
  if (isNdArray(sent)) return areEqualArrays(sent, back);
  const dtype = dtypeOf(sent);
  if (dtype !== undefined) {
    return (
      dtypeOf(back) === dtype &&
      !Buffer.isBuffer(back) &&
      Buffer.compare(bytesOf(sent as ArrayBufferView), bytesOf(back as ArrayBufferView)) === 0
    );
  }
  return areEqualRecords(sent as Record<string, unknown>, back as Record<string, unknown>);
}

/** An array of one dimension comes back bare where a typed array has its dtype. */
function areEqualArrays(sent: NdArray, back: object): boolean {
  if (isNdArray(back)) {
    const isBare = sent.shape.length === 1 && dtypeOf(sent.data) === sent.dtype;
    return !isBare && sent.equals(back);
  }
  return (
    sent.shape.length === 1 &&
    dtypeOf(back) === sent.dtype &&
    areEqual(sent.data, back) &&
    dtypeOf(sent.data) === sent.dtype
  );
}

function areEqualRecords(sent: Record<string, unknown>, back: Record<string, unknown>): boolean {
  if (Object.getPrototypeOf(back) !== Object.prototype) return false;
  const keys = Object.keys(sent).filter((key) => sent[key] !== undefined);
  const keysBack = Object.keys(back);
  return (
    keys.length === keysBack.length &&
    keys.every((key, index) => keysBack[index] === key && areEqual(sent[key], back[key]))
  );
}
