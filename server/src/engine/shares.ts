/**
 * The slots of long reads, shared out by account: a reader may hold one for as long as it likes to be slow, so one
 * account never gets the last free slot while it holds another. Nor does it fill the line: it waits with at most as many
 * calls as there are places left for others, the rest are refused. Who may have a slot gets it in order of arrival; who
 * has gone leaves the line. Short calls wait in `queue.ts`, where slots are free again at once and nobody counts.
 */
import { EngineError } from './index.js';

/** A slot that the caller has to give back. */
export interface Lent<Slot> {
  readonly slot: Slot;
  giveBack(): void;
}

/** Whoever waits for a slot. */
interface Waiting<Slot> {
  readonly account: string;
  start(lent: Lent<Slot>): void;
}

/** Lends slots of type `Slot` to accounts. */
export class Shares<Slot> {
  readonly #free: Slot[];
  readonly #slots: number;
  readonly #length: number;
  readonly #held = new Map<string, number>();
  readonly #waiting: Waiting<Slot>[] = [];
  #closed = false;
  readonly #idle: (() => void)[] = [];

  /** Takes the slots and how many calls may wait for one. */
  constructor(slots: readonly Slot[], length: number) {
    this.#free = [...slots];
    this.#slots = slots.length;
    this.#length = length;
  }

  /**
   * Lends the account a slot as soon as it may have one. Throws EngineError `unavailable` when its share of the line is
   * full, when the shares are closed, or when the signal aborts before.
   */
  async take(account: string, signal?: AbortSignal): Promise<Lent<Slot>> {
    if (this.#closed) throw new EngineError('unavailable', 'the engine is closed', undefined);
    if (signal?.aborted === true) throw gone();
    return this.#lend(account) ?? (await this.#wait(account, signal));
  }

  /** Refuses new calls and waits until all slots are back and nobody waits. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#free.length === this.#slots) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #lend(account: string): Lent<Slot> | undefined {
    const held = this.#held.get(account) ?? 0;
    if (held > 0 && this.#free.length < 2) return undefined;
    const slot = this.#free.pop();
    if (slot === undefined) return undefined;
    this.#held.set(account, held + 1);
    let back = false;
    const giveBack = () => {
      if (back) return;
      back = true;
      this.#takeBack(account, slot);
    };
    return { slot, giveBack };
  }

  #wait(account: string, signal: AbortSignal | undefined): Promise<Lent<Slot>> {
    const own = this.#waiting.filter((one) => one.account === account).length;
    const others = this.#waiting.length - own;
    if (own >= this.#length - this.#waiting.length) {
      const full = `${this.#slots - this.#free.length} long reads are running, ${own} of the account and ${others} of others are waiting: its share of the queue is full`;
      throw new EngineError('unavailable', full, undefined);
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(gone());
      };
      const start = (lent: Lent<Slot>) => {
        signal?.removeEventListener('abort', leave);
        resolve(lent);
      };
      const waiting = { account, start };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #takeBack(account: string, slot: Slot): void {
    const held = this.#held.get(account) ?? 0;
    if (held > 1) this.#held.set(account, held - 1);
    else this.#held.delete(account);
    this.#free.push(slot);
    // One that must wait for its own slots holds up nobody behind it.
    for (const waiting of [...this.#waiting]) {
      if (this.#free.length === 0) break;
      const lent = this.#lend(waiting.account);
      if (lent === undefined) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.start(lent);
    }
    if (this.#free.length < this.#slots) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function gone(): EngineError {
  return new EngineError('unavailable', 'nobody waits for the answer any longer', undefined);
}
