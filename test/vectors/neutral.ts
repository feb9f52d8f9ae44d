// What do the vectors mean in JavaScript? Their neutral notation, read into values and compared with them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { NdArray, typedArrayOf, type Dtype } from '../../actors/port/nd-array.ts';

export type Neutral =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly v: boolean }
  | { readonly kind: 'text' | 'number' | 'bigint' | 'buffer'; readonly v: string }
  | { readonly kind: 'date'; readonly v: number }
  | { readonly kind: 'list'; readonly v: readonly Neutral[] }
  | { readonly kind: 'object'; readonly v: readonly (readonly [string, Neutral])[] }
  | { readonly kind: 'typed'; readonly d: Dtype; readonly v: string }
  | { readonly kind: 'nd'; readonly d: Dtype; readonly s: readonly number[]; readonly v: string };

interface FrameVector {
  readonly name: string;
  readonly hex: string;
  readonly messages: readonly {
    readonly header: Readonly<Record<string, unknown>>;
    readonly segments: readonly string[];
  }[];
  readonly field?: string;
  readonly isEncodedSo: boolean;
}

interface MalformedFrame {
  readonly name: string;
  readonly hex: string;
  readonly error: 'size' | 'utf8' | 'json' | 'object' | 'segments' | 'padding';
  readonly frameBytesMax?: number;
}

interface MalformedValue {
  readonly name: string;
  readonly json: unknown;
  readonly tagged: boolean;
  readonly segments: readonly string[];
}

interface ValueVector extends MalformedValue {
  readonly javascript: Neutral;
  readonly writtenBy: readonly ('javascript' | 'python')[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));

export const FRAMES = read('frames.json') as {
  readonly valid: readonly FrameVector[];
  readonly malformed: readonly MalformedFrame[];
};

export const VALUES = read('values.json') as {
  readonly values: readonly ValueVector[];
  readonly malformed: readonly MalformedValue[];
};

export const segmentsOf = ({ segments }: { readonly segments: readonly string[] }): Buffer[] =>
  segments.map((hex) => Buffer.from(hex, 'hex'));

/** The value that a notation names. */
export function fromNeutral(neutral: Neutral): unknown {
  switch (neutral.kind) {
    case 'null':
      return null;
    case 'bool':
    case 'text':
      return neutral.v;
    case 'number':
      return Number(neutral.v);
    case 'bigint':
      return BigInt(neutral.v);
    case 'buffer':
      return Buffer.from(neutral.v, 'hex');
    case 'date':
      return new Date(neutral.v);
    case 'list':
      return neutral.v.map(fromNeutral);
    case 'object':
      return Object.fromEntries(neutral.v.map(([key, item]) => [key, fromNeutral(item)]));
    case 'typed':
      return typedArrayOf(neutral.d, Buffer.from(neutral.v, 'hex'));
    case 'nd':
      return new NdArray(
        neutral.d,
        neutral.s,
        typedArrayOf(neutral.d, Buffer.from(neutral.v, 'hex')),
      );
  }
}
