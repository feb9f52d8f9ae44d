// Do workers die of this call? Operations with their arguments that were in flight in crashes, and are refused after too many of them.
import { createHash } from 'node:crypto';

import type { Clock } from '../../actors/ground/clock.ts';
import { LIMITS } from '../../actors/ground/limits.ts';
import type { EncodedValue } from '../../actors/port/codec.ts';

export interface QuarantineSettings {
  /** Crashes after which it is poison. */
  readonly crashes: number;
  /** How long it is remembered after the last of them, in ms. */
  readonly forMs: number;
}

interface Suspect {
  readonly op: string;
  readonly crashes: number;
  readonly untilMs: number;
}

/** The suspects of one pool. While there are none a question costs one comparison, and while the operation has none one look into a map. */
export class Quarantine {
  readonly #settings: QuarantineSettings;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By operation and arguments, the one that crashed longest ago first. */
  readonly #suspects = new Map<string, Suspect>();
  /** How many suspects each operation has. */
  readonly #operations = new Map<string, number>();

  constructor(settings: QuarantineSettings, clock: Pick<Clock, 'nowMs'>) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * It was in flight, and may have run, in a crash that nobody ordered.
   * @param crashesBefore as many crashes are known of the very same call, which may have run for longer than it is remembered here.
   * @returns in how many crashes it was by now.
   */
  onCrash(op: string, args: EncodedValue, crashesBefore = 0): number {
    const key = keyOf(op, args);
    this.#dropExpired();
    const known = this.#suspects.get(key);
    const crashes = Math.max(known?.crashes ?? 0, crashesBefore) + 1;
    this.#drop(key);
    if (this.#suspects.size >= LIMITS.quarantineEntriesMax) this.#dropOldest();
    const untilMs = this.#clock.nowMs() + this.#settings.forMs;
    this.#suspects.set(key, { op, crashes, untilMs });
    this.#operations.set(op, (this.#operations.get(op) ?? 0) + 1);
    return crashes;
  }

  /** Nobody is under suspicion. */
  get isEmpty(): boolean {
    return this.#suspects.size === 0;
  }

  /** It was answered: what works is no poison, whatever its workers died of. */
  onAnswer(op: string, args: EncodedValue): void {
    if (this.#operations.has(op)) this.#drop(keyOf(op, args));
  }

  /** Whether a worker has died of it lately, or of others that were in flight with it. */
  isSuspect(op: string, args: EncodedValue): boolean {
    return this.#find(op, args) !== undefined;
  }

  /** In how many crashes it was that is refused; undefined: it is not. */
  crashesOf(op: string, args: EncodedValue): number | undefined {
    const suspect = this.#find(op, args);
    return suspect !== undefined && suspect.crashes >= this.#settings.crashes
      ? suspect.crashes
      : undefined;
  }

  #find(op: string, args: EncodedValue): Suspect | undefined {
    if (this.#suspects.size === 0) return undefined;
    if (!this.#operations.has(op)) return undefined;
    this.#dropExpired();
    return this.#suspects.get(keyOf(op, args));
  }

  /** They stand in the order of their times. */
  #dropExpired(): void {
    const nowMs = this.#clock.nowMs();
    for (const [key, { untilMs }] of this.#suspects) {
      if (untilMs > nowMs) return;
      this.#drop(key);
    }
  }

  #dropOldest(): void {
    for (const key of this.#suspects.keys()) {
      this.#drop(key);
      return;
    }
  }

  #drop(key: string): void {
    const suspect = this.#suspects.get(key);
    if (suspect === undefined) return;
    this.#suspects.delete(key);
    const left = (this.#operations.get(suspect.op) ?? 0) - 1;
    if (left > 0) this.#operations.set(suspect.op, left);
    else this.#operations.delete(suspect.op);
  }
}

/** Lengths stand before what they measure, so that no two calls have the same bytes. */
function keyOf(op: string, { json, segments }: EncodedValue): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([op, json, segments.map(({ byteLength }) => byteLength)]));
  for (const segment of segments) hash.update(segment);
  return hash.digest('base64');
}
