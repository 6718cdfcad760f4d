-- Use of apps, in sessions and seconds. Rows add.
CREATE TABLE IF NOT EXISTS usage (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  userId String,
  deviceId String,
  sessions UInt32,
  durationSeconds Int64,
  packageVersion LowCardinality(String),
  deviceType LowCardinality(String),
  osVersion LowCardinality(String),
  market LowCardinality(String),
  gender LowCardinality(String),
  ageGroup LowCardinality(String),
  customCampaignId LowCardinality(String),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:usage}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
