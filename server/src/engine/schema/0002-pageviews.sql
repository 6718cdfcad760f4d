-- Views of a product's store page; inAppProductId is the add-on that the listing names. Rows add.
CREATE TABLE IF NOT EXISTS pageviews (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  inAppProductId LowCardinality(String),
  userId String,
  customCampaignId LowCardinality(String),
  referrerUriDomain LowCardinality(String),
  channelType LowCardinality(String),
  deviceType LowCardinality(String),
  market LowCardinality(String),
  gender LowCardinality(String),
  ageGroup LowCardinality(String),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:pageviews}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
