/** What route files receive: every feature, ready to use. The composition root makes it. */

import type { Settings } from '../config.js';
import type { Crashes } from '../crashes/index.js';
import type { Engine } from '../engine/index.js';
import type { FileAddresses, Files } from '../files/index.js';
import type { Identity } from '../identity/index.js';
import type { Ingest } from '../ingest/index.js';
import type { Ledger, Rollups } from '../ledger/index.js';
import type { Mirror } from '../mirror/index.js';
import type { Products } from '../products/index.js';
import type { Query } from '../query/index.js';
import type { Registry } from '../registry/index.js';
import type { Clock, Random } from '../system.js';
import type { Metrics } from './metrics.js';

/** All features of a running server. */
export interface Parts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly engine: Engine;
  readonly registry: Registry;
  readonly files: Files;
  readonly fileAddresses: FileAddresses;
  readonly ledger: Ledger;
  readonly rollups: Rollups;
  readonly identity: Identity;
  readonly products: Products;
  readonly query: Query;
  readonly ingest: Ingest;
  readonly crashes: Crashes;
  readonly mirror: Mirror;
  readonly metrics: Metrics;
  /** Folder with the spool and, for an embedded engine, all data. */
  readonly dataFolder: string;
  /** Origin that clients use: the setting, or the bound address. No slash at the end. */
  readonly publicUrl: () => string;
}
