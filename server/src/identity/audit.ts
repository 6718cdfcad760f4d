/** Audit lines in the registry: who did what to what, when, and how it ended. Nothing here is secret. */
import type { Registry } from '../registry/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import type { AuditEntry, AuditLine } from './index.js';

/** Long paths or ids must not swell the registry. */
const longest = 512;

/** The audit of an installation. */
export interface Audit {
  write(entry: AuditEntry): Promise<void>;
  /** The newest lines, newest first. */
  lines(limit: number): Promise<readonly AuditLine[]>;
  /** Removes lines that are older than the days, some at a time; returns how many. 0 days keep all. */
  forget(): Promise<number>;
}

/** Lines that one statement removes. */
const forgottenAtOnce = 1000;

/** The audit in the registry. */
export function createAudit(registry: Registry, clock: Clock, random: Random, days: number): Audit {
  return {
    write: async ({ actor, action, target, outcome, address }) => {
      await registry.all(
        'INSERT INTO audit (audit_id, at, actor, action, target, outcome, address) VALUES ($1, $2, $3, $4, $5, $6, $7)',
        [
          newGuid(random),
          clock.now(),
          ...[actor, action, target, outcome, address].map((text) => text.slice(0, longest)),
        ],
      );
    },
    lines: async (limit) => {
      const rows = await registry.all('SELECT * FROM audit ORDER BY at DESC, audit_id DESC LIMIT $1', [
        limit,
      ]);
      return rows.map((row) => ({
        at: new Date(Number(row.at)).toISOString(),
        actor: String(row.actor),
        action: String(row.action),
        target: String(row.target),
        outcome: String(row.outcome),
        address: String(row.address),
      }));
    },
    forget: async () => {
      if (days === 0) return 0;
      const before = clock.now() - days * 86_400_000;
      for (let count = 0; ; ) {
        const rows = await registry.all(
          `DELETE FROM audit WHERE audit_id IN (SELECT audit_id FROM audit WHERE at < $1 ORDER BY at LIMIT $2)
           RETURNING audit_id`,
          [before, forgottenAtOnce],
        );
        count += rows.length;
        if (rows.length < forgottenAtOnce) return count;
      }
    },
  };
}
