-- Days of the funnel, as the other mirrors (0011): a row per step, users of the day without any filter.
CREATE TABLE IF NOT EXISTS mirror_funnel (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String) ALIAS scope,
  MetricType LowCardinality(String),
  UserCount Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_funnel}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
