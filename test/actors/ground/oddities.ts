// What can be thrown that is hard to look at? Values whose fields throw, that cannot be written to, or that are nothing at all.

export function thrower(what: string): () => never {
  return () => {
    throw new Error(`do not look at the ${what}`);
  };
}

function errorWith(field: string): unknown {
  return Object.defineProperty(new Error('odd'), field, { get: thrower(field) });
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** By name, each made anew. */
export const ODDITIES: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  symbol: () => Symbol('odd'),
  'an object without a prototype': () => Object.create(null) as unknown,
  'an object that cannot be a text': () => ({ toString: thrower('text') }),
  'a frozen error': () => Object.freeze(new Error('frozen')),
  'an error with a frozen cause': () =>
    new Error('odd', { cause: Object.freeze(new Error('frozen')) }),
  'an error whose message throws': () => errorWith('message'),
  'an error whose name throws': () => errorWith('name'),
  'an error whose stack throws': () => errorWith('stack'),
  'an error whose message is no text': () => Object.assign(new Error('odd'), { message: Symbol() }),
  'a proxy that throws': () =>
    new Proxy({}, { get: thrower('field'), getPrototypeOf: thrower('prototype') }),
  'a proxy that is revoked': revoked,
};
