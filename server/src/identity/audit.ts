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
}

/** The audit in the registry. */
export function createAudit(registry: Registry, clock: Clock, random: Random): Audit {
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
  };
}
