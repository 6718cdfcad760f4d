-- Days of reports that were copied from another server. scope is a product's id, '' for the whole account; day is
-- yyyy-MM-dd; times are milliseconds in UTC. seq is the newest stored commit, null while there is none; settled says
-- that the day will not be read again; error and failed_at are those of the last attempt, null if it went well.
CREATE TABLE mirror_days (
  account_id TEXT NOT NULL,
  report TEXT NOT NULL,
  scope TEXT NOT NULL,
  day TEXT NOT NULL,
  seq BIGINT,
  batch_id TEXT,
  content_hash TEXT,
  row_count BIGINT,
  settled INTEGER NOT NULL,
  read_at BIGINT,
  error TEXT,
  failed_at BIGINT,
  PRIMARY KEY (account_id, report, scope, day)
);

-- What whoever copies wants to remember between runs: JSON of its own.
CREATE TABLE mirror_cursors (
  account_id TEXT NOT NULL,
  report TEXT NOT NULL,
  scope TEXT NOT NULL,
  cursor_json TEXT NOT NULL,
  written_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, report, scope)
);
