-- Ratings from 1 to 5; a revision is a row of its own. Rows add.
CREATE TABLE IF NOT EXISTS ratings (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  rating UInt8,
  userId String,
  market LowCardinality(String),
  osVersion LowCardinality(String),
  deviceType LowCardinality(String),
  isRevised Bool,
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:ratings}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
