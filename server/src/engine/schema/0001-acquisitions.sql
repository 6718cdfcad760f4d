-- Acquisitions of apps and, where inAppProductId is set, of add-ons. Rows add.
CREATE TABLE IF NOT EXISTS acquisitions (
  accountId LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  timestamp DateTime64(3, 'UTC'),
  inAppProductId LowCardinality(String),
  userId String,
  acquisitionType LowCardinality(String),
  quantity UInt32,
  deviceType LowCardinality(String),
  osVersion LowCardinality(String),
  storeClient LowCardinality(String),
  orderName LowCardinality(String),
  market LowCardinality(String),
  gender LowCardinality(String),
  ageGroup LowCardinality(String),
  customCampaignId LowCardinality(String),
  referrerUriDomain LowCardinality(String),
  channelType LowCardinality(String),
  purchasePriceUSDAmount Decimal(18, 6),
  purchasePriceLocalAmount Decimal(18, 6),
  purchaseTaxUSDAmount Decimal(18, 6),
  purchaseTaxLocalAmount Decimal(18, 6),
  localCurrencyCode LowCardinality(String),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:acquisitions}
ORDER BY (accountId, applicationId, date)
SETTINGS {dedup};
