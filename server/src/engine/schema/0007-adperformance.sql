-- Ad figures of a day. The row with the greatest (seq, line) of an account, date and dimension values counts.
CREATE TABLE IF NOT EXISTS adperformance (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  adUnitId LowCardinality(String),
  adUnitName LowCardinality(String),
  adProvider LowCardinality(String),
  deviceType LowCardinality(String),
  market LowCardinality(String),
  accountCurrencyCode LowCardinality(String),
  pubCenterAppName LowCardinality(String),
  adProviderRequests Int64,
  impressions Int64,
  clicks Int64,
  revenueInAccountCurrency Decimal(18, 6),
  requests Int64,
  seq UInt64 CODEC(Delta, ZSTD(1)),
  line UInt32,
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:adperformance}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
