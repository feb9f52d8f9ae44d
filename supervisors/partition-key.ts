// To which partition does a key belong? Whole numbers by their remainder, everything else by a hash that is the same in every process and version.
import type { ActorRef } from '../actors/lifecycle/ref.ts';

/** What can be routed by. Arrays are compared by their elements. */
export type PartitionKey =
  string | number | bigint | boolean | null | undefined | ActorRef | readonly PartitionKey[];

/**
 * The partition of `key` among `count`, from 0. A whole number goes to `abs(key) % count`, as in Elixir's PartitionSupervisor.
 *
 * @throws TypeError for a key that has no text of its own: an object would go where its address goes.
 */
export function partitionFor(key: PartitionKey, count: number): number {
  if (typeof key === 'bigint') return Number((key < 0n ? -key : key) % BigInt(count));
  if (Number.isInteger(key)) return Math.abs(key as number) % count;
  return hashOf(JSON.stringify(taggedOf(key))) % count;
}

/** Values of different types must differ in their text. */
function taggedOf(key: PartitionKey): unknown {
  if (Array.isArray(key)) return ['list', ...(key as readonly PartitionKey[]).map(taggedOf)];
  if (isRef(key)) return ['ref', key.path, key.epoch];
  if (key === null || key === undefined) return [String(key)];
  if (typeof key === 'string' || typeof key === 'boolean') return [typeof key, key];
  if (typeof key === 'number' || typeof key === 'bigint') return [typeof key, String(key)];
  throw new TypeError(
    `key: a text, a number, a reference or a list of these is expected, found a ${typeof key}`,
  );
}

function isRef(key: unknown): key is ActorRef {
  return typeof key === 'object' && key !== null && 'path' in key && 'epoch' in key;
}

/** FNV-1a over the UTF-16 units, then mixed: its low bits alone would repeat with the last characters. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
