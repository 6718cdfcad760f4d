-- Reviews. The row with the greatest (seq, line) of an account, applicationId and id counts.
CREATE TABLE IF NOT EXISTS reviews (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  rating UInt8,
  id String,
  market LowCardinality(String),
  osVersion LowCardinality(String),
  deviceType LowCardinality(String),
  isRevised Bool,
  packageVersion LowCardinality(String),
  deviceModel LowCardinality(String),
  productFamily LowCardinality(String),
  deviceRAM Int64,
  deviceScreenResolution LowCardinality(String),
  deviceStorageCapacity Int64,
  isTouchEnabled Bool,
  reviewerName String,
  reviewTitle String,
  reviewText String,
  helpfulCount Int64,
  notHelpfulCount Int64,
  responseDate String,
  responseText String,
  seq UInt64 CODEC(Delta, ZSTD(1)),
  line UInt32,
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:reviews}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
