/** Requests, or whatever else, in a minute, counted in whole minutes by who sends them; off when the limit is 0. */
import { Failure } from './failure.js';
import type { Clock } from './system.js';

/** Counts requests; {@link RateLimit.take} throws `too-many-requests` beyond the limit. */
export class RateLimit {
  private minute = 0;
  private counts = new Map<string, number>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
    /** What is counted, and the setting that limits it. */
    private readonly what = { plural: 'requests', setting: 'rate-limit' },
  ) {}

  /** Counts one request of a caller. */
  take(caller: string): void {
    if (this.perMinute === 0) return;
    const now = this.clock.now();
    const minute = Math.floor(now / 60_000);
    if (minute !== this.minute) {
      this.minute = minute;
      this.counts = new Map();
    }
    const count = (this.counts.get(caller) ?? 0) + 1;
    this.counts.set(caller, count);
    if (count > this.perMinute) {
      const { plural, setting } = this.what;
      throw new Failure(
        'too-many-requests',
        [`More than ${this.perMinute} ${plural} in a minute (${setting}).`],
        {
          retryAfter: Math.ceil(((minute + 1) * 60_000 - now) / 1000),
        },
      );
    }
  }
}
