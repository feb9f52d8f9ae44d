// How may a worker of layer 2 misbehave, and which of its calls does so? What was ordered, counted down by bridge.
import { suggestion } from '../../../actors/ground/nearest.ts';
import { InvalidConfigError } from '../../../actors/ground/start-errors.ts';

/** What goes wrong, instead of the answer unless it says otherwise. */
export type Misbehaviour =
  /** The answer comes so much later, whatever the worker is told meanwhile. */
  | { readonly type: 'late'; readonly ms: number }
  /** There is no answer, and nothing but SIGKILL ends the handler. */
  | { readonly type: 'hang' }
  /** The first half of the answer is written, then the process is gone. */
  | { readonly type: 'half_frame' }
  /** Bytes that are no frame are written. */
  | { readonly type: 'garbage' }
  /** The answer comes, and from then on neither `shutdown` nor SIGTERM ends the process. */
  | { readonly type: 'ignore_sigterm' }
  /** The process exits with this status (1). */
  | { readonly type: 'exit'; readonly status?: number }
  /** The process dies as by the kernel's hand, of SIGKILL. */
  | { readonly type: 'kill' }
  /** The process exits with this status (1) when it starts, before it is ready. */
  | { readonly type: 'crash_on_start'; readonly status?: number };

/** Which calls, or starts, misbehave. */
export interface MisbehaveWhen {
  /** Only calls of this operation. Default: of any, those of the runtime's own replays among them. */
  readonly op?: string;
  /** How many of them, from the next one on. Default 1. */
  readonly times?: number;
}

interface Order {
  readonly what: Misbehaviour;
  readonly op: string | undefined;
  left: number;
}

const KINDS: readonly string[] = [
  ...['late', 'hang', 'half_frame', 'garbage', 'ignore_sigterm', 'exit', 'kill'],
  'crash_on_start',
];
const STATUS_MAX = 255;

/** The orders to the workers of one runtime. */
export class Misbehaviours {
  readonly #orders = new Map<string, Order[]>();

  /**
   * Have the next worker or call of a bridge misbehave; orders of one bridge are carried out in their order.
   * @returns takes back what is left of it.
   * @throws {@link InvalidConfigError} naming the field.
   */
  order(bridge: string, given: Misbehaviour & MisbehaveWhen): () => void {
    check(given);
    const { op, times = 1, ...what } = given;
    const order: Order = { what, op, left: times };
    const orders = this.#orders.get(bridge) ?? [];
    orders.push(order);
    this.#orders.set(bridge, orders);
    return () => {
      order.left = 0;
    };
  }

  /** What this call does beside its answer, if anything. */
  ofCall(bridge: string, op: string): Misbehaviour | undefined {
    return this.#take(
      bridge,
      (order) => order.what.type !== 'crash_on_start' && (order.op ?? op) === op,
    );
  }

  /** What this start does, if anything. */
  ofStart(bridge: string): Misbehaviour | undefined {
    return this.#take(bridge, ({ what }) => what.type === 'crash_on_start');
  }

  #take(bridge: string, isMeant: (order: Order) => boolean): Misbehaviour | undefined {
    const orders = (this.#orders.get(bridge) ?? []).filter(({ left }) => left > 0);
    this.#orders.set(bridge, orders);
    const order = orders.find(isMeant);
    if (order === undefined) return undefined;
    order.left -= 1;
    return order.what;
  }
}

function check(given: Misbehaviour & MisbehaveWhen): void {
  const { type, times = 1, op } = given as { type: string; times?: unknown; op?: unknown };
  if (!KINDS.includes(type))
    throw new InvalidConfigError('type', `${type} is no misbehaviour; ${suggestion(type, KINDS)}`);
  if (times !== Infinity && !(Number.isSafeInteger(times) && Number(times) > 0))
    throw new InvalidConfigError('times', 'a whole number from 1, or Infinity, is expected');
  if (op !== undefined && typeof op !== 'string')
    throw new InvalidConfigError('op', 'the name of an operation is expected');
  if (given.type === 'late' && !(Number.isFinite(given.ms) && given.ms >= 0))
    throw new InvalidConfigError('ms', 'milliseconds from 0 are expected');
  const { status = 1 } = given as { status?: unknown };
  if (!(Number.isSafeInteger(status) && Number(status) >= 0 && Number(status) <= STATUS_MAX))
    throw new InvalidConfigError('status', `a whole number from 0 to ${STATUS_MAX} is expected`);
}
