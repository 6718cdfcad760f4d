-- Installation attempts. Rows add.
CREATE TABLE IF NOT EXISTS installs (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  deviceId String,
  userId String,
  successful Bool,
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
ENGINE = {merge_tree:installs}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
