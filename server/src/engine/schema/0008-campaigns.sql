-- Campaign figures of a day. The row with the greatest (seq, line) of an account, date and dimension values counts.
CREATE TABLE IF NOT EXISTS campaigns (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  campaignId LowCardinality(String),
  lineId LowCardinality(String),
  currencyCode LowCardinality(String),
  spend Decimal(18, 6),
  impressions Int64,
  installs Int64,
  clicks Int64,
  iapInstalls Int64,
  activeUsers Int64,
  seq UInt64 CODEC(Delta, ZSTD(1)),
  line UInt32,
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:campaigns}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
