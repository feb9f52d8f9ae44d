// Which values can a call be given? All that the table of `docs/protocol.md` §5 has, at random.
import fc from 'fast-check';

import { itemBytesOf, NdArray, typedArrayOf, type Dtype } from '../../actors/port/nd-array.ts';

const BARE = [
  ...(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float32', 'float64'] as const),
];
const OTHER = ['bool', 'float16', 'complex64', 'complex128'] as const;

/** Dtypes and shapes that a memoryview has on every Python. */
export const WITHOUT_NUMPY: { readonly dtypes: readonly Dtype[]; readonly lengthMin: number } = {
  dtypes: [...BARE, 'bool'],
  lengthMin: 1,
};
export const WITH_NUMPY: typeof WITHOUT_NUMPY = { dtypes: [...BARE, ...OTHER], lengthMin: 0 };

/** Any sequence of UTF-16 units, halves of surrogate pairs too. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(36, 97, 0xd83d, 0xdc0d)), {
    maxLength: 6,
  })
  .map((units) => String.fromCharCode(...units));

const key = fc.oneof(
  text,
  fc.constantFrom('$', '$$', '$x', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '1'),
);

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53), 1e21, 1e300, 5e-324, Number.MAX_VALUE),
);

const integer = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 4000n), max: 2n ** 4000n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 1n - 2n ** 53n, 0n),
);

const date = fc.date({
  min: new Date(-62_135_596_800_000),
  max: new Date(253_402_300_799_999),
  noInvalidDate: true,
});

const bytes = fc.uint8Array({ maxLength: 40 });

/** In memory of its own, or in the middle of other memory. */
function placed(content: Uint8Array, before: number): Uint8Array {
  const memory = new Uint8Array(before + content.length + 3);
  memory.set(content, before);
  return memory.subarray(before, before + content.length);
}

function arrays(among: typeof WITHOUT_NUMPY): fc.Arbitrary<unknown> {
  const shape = fc.array(fc.integer({ min: among.lengthMin, max: 4 }), { maxLength: 4 });
  return fc
    .record({ dtype: fc.constantFrom(...among.dtypes), shape, isBare: fc.boolean() })
    .chain(({ dtype, shape: lengths, isBare }) => {
      const dimensions = isBare ? [lengths[0] ?? 3] : lengths;
      const size = dimensions.reduce((product, length) => product * length, 1);
      const itemBytes = itemBytesOf(dtype);
      const length = size * itemBytes;
      const content = fc.uint8Array({
        ...{ minLength: length, maxLength: length, max: dtype === 'bool' ? 1 : 255 },
      });
      return fc.tuple(content, fc.nat({ max: 2 })).map(([data, words]) => {
        const array = typedArrayOf(dtype, placed(data, words * itemBytes));
        const isTyped = isBare && (BARE as readonly Dtype[]).includes(dtype);
        return isTyped ? array : new NdArray(dtype, dimensions, array);
      });
    });
}

/** Any value that can be sent, with arrays `among` these. */
export function arbitraryValues(among: typeof WITHOUT_NUMPY): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(
    fc.constantFrom(null, true, false),
    text,
    number,
    integer,
    date,
    fc.tuple(bytes, fc.nat({ max: 9 })).map(([data, before]) => {
      const { buffer, byteOffset, length } = placed(data, before);
      return Buffer.from(buffer, byteOffset, length);
    }),
    bytes.map((data) => data.slice().buffer),
    bytes.map((data) => new Uint8ClampedArray(data)),
    arrays(among),
  );
  return fc.letrec<{ value: unknown }>((tie) => {
    const item = tie('value');
    const entry = fc.tuple(key, fc.oneof(item, fc.constant(undefined)));
    return {
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(item, { maxLength: 4 }),
        fc.array(entry, { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
        fc
          .array(entry, { maxLength: 2 })
          .map(
            (entries) =>
              Object.setPrototypeOf(Object.fromEntries(entries), null) as Record<string, unknown>,
          ),
      ),
    };
  }).value;
}
