-- The commit ledger (docs/decisions: commits and snapshots). One number series per account.

CREATE TABLE account_commits (
  account_id TEXT NOT NULL PRIMARY KEY,
  last_seq BIGINT NOT NULL
);

-- state: open | closing | done | void. Times are milliseconds in UTC. batch_id becomes null when its key is free
-- again: after a void, and when the time to remember it is over.
CREATE TABLE commits (
  account_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  dataset TEXT NOT NULL,
  batch_id TEXT,
  body_hash TEXT NOT NULL,
  shard INTEGER NOT NULL,
  row_count BIGINT NOT NULL,
  first_day TEXT,
  last_day TEXT,
  state TEXT NOT NULL,
  begun_at BIGINT NOT NULL,
  done_at BIGINT,
  PRIMARY KEY (account_id, seq),
  UNIQUE (account_id, dataset, batch_id)
);

CREATE INDEX commits_unfinished ON commits (account_id, seq) WHERE state IN ('open', 'closing');

CREATE INDEX commits_done ON commits (account_id, done_at);

CREATE INDEX commits_of_dataset ON commits (dataset, done_at);

CREATE INDEX commits_remembered ON commits (done_at) WHERE batch_id IS NOT NULL;

-- Superseded rows of replacing datasets: commits up to `checked_seq` have been looked at; a snapshot below
-- `horizon_seq` can no longer be had.
CREATE TABLE purges (
  account_id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  checked_seq BIGINT NOT NULL,
  horizon_seq BIGINT NOT NULL,
  PRIMARY KEY (account_id, dataset)
);
