-- Rows copied from other servers of the API, a table per report (contract: mirror.ts). A commit is one day of one scope:
-- a product, or '' for the whole account. Only the rows of the newest commit of a scope and day count. Each commit has
-- one row with isDay, which says that the day is known, how its rows are grouped and how many there are; the other
-- rows are those of the source, under the names of its columns. So a day is stored by one insert, also an empty one.
CREATE TABLE IF NOT EXISTS mirror_appacquisitions (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  deviceType LowCardinality(String),
  orderName LowCardinality(String),
  storeClient LowCardinality(String),
  osVersion LowCardinality(String),
  market LowCardinality(String),
  gender LowCardinality(String),
  ageGroup LowCardinality(String),
  acquisitionType LowCardinality(String),
  acquisitionQuantity Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_appacquisitions}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_appchannelconversions (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  customCampaignId LowCardinality(String),
  referrerUriDomain LowCardinality(String),
  channelType LowCardinality(String),
  deviceType LowCardinality(String),
  market LowCardinality(String),
  clickCount Int64,
  conversionCount Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_appchannelconversions}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_inappacquisitions (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  inAppProductId LowCardinality(String),
  applicationId LowCardinality(String),
  deviceType LowCardinality(String),
  orderName LowCardinality(String),
  storeClient LowCardinality(String),
  osVersion LowCardinality(String),
  market LowCardinality(String),
  gender LowCardinality(String),
  ageGroup LowCardinality(String),
  acquisitionType LowCardinality(String),
  acquisitionQuantity Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_inappacquisitions}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_inappchannelconversions (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  inAppProductId LowCardinality(String),
  applicationId LowCardinality(String),
  customCampaignId LowCardinality(String),
  referrerUriDomain LowCardinality(String),
  channelType LowCardinality(String),
  deviceType LowCardinality(String),
  market LowCardinality(String),
  clickCount Int64,
  conversionCount Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_inappchannelconversions}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_installs (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  packageVersion LowCardinality(String),
  deviceType LowCardinality(String),
  market LowCardinality(String),
  osVersion LowCardinality(String),
  successfulInstallCount Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_installs}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_failurehits (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  symbol LowCardinality(String),
  osVersion LowCardinality(String),
  osRelease LowCardinality(String),
  eventType LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  packageName LowCardinality(String),
  packageVersion LowCardinality(String),
  deviceCount Decimal(38, 18),
  eventCount Decimal(38, 18),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_failurehits}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_failuredetails (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  failureHash LowCardinality(String),
  failureName LowCardinality(String),
  timestamp DateTime64(3, 'UTC'),
  cabId String,
  market LowCardinality(String),
  osBuild LowCardinality(String),
  packageVersion LowCardinality(String),
  deviceModel LowCardinality(String),
  osVersion LowCardinality(String),
  osRelease LowCardinality(String),
  deviceType LowCardinality(String),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_failuredetails}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_ratings (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  market LowCardinality(String),
  osVersion LowCardinality(String),
  deviceType LowCardinality(String),
  isRevised Bool,
  oneStar Int64,
  twoStars Int64,
  threeStars Int64,
  fourStars Int64,
  fiveStars Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_ratings}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_reviews (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
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
  rating Int64,
  reviewTitle String,
  reviewText String,
  helpfulCount Int64,
  notHelpfulCount Int64,
  responseDate String,
  responseText String,
  id String,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_reviews}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_adsperformance (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  adUnitId LowCardinality(String),
  adUnitName LowCardinality(String),
  revenueInAccountCurrency Decimal(38, 18),
  impressions Int64,
  requests Int64,
  clicks Int64,
  accountCurrencyCode LowCardinality(String),
  adProvider LowCardinality(String),
  pubCenterAppName LowCardinality(String),
  adProviderRequests Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_adsperformance}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_promotion (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  campaignId LowCardinality(String),
  lineId LowCardinality(String),
  currencyCode LowCardinality(String),
  spend Decimal(38, 18),
  impressions Int64,
  installs Int64,
  clicks Int64,
  iapInstalls Int64,
  activeUsers Int64,
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_promotion}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_desktop_failurehits (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  fileName LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  symbol LowCardinality(String),
  osBuild LowCardinality(String),
  osVersion LowCardinality(String),
  osRelease LowCardinality(String),
  eventType LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  applicationVersion LowCardinality(String),
  eventCount Decimal(38, 18),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_desktop_failurehits}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_desktop_failuredetails (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  applicationId LowCardinality(String),
  failureHash LowCardinality(String),
  failureName LowCardinality(String),
  timestamp DateTime64(3, 'UTC'),
  cabIdHash String,
  market LowCardinality(String),
  osBuild LowCardinality(String),
  applicationVersion LowCardinality(String),
  deviceModel LowCardinality(String),
  osVersion LowCardinality(String),
  osRelease LowCardinality(String),
  deviceType LowCardinality(String),
  fileName LowCardinality(String),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_desktop_failuredetails}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_driver_failurehits (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  submissionId LowCardinality(String),
  applicationId LowCardinality(String),
  driverName LowCardinality(String),
  osVersion LowCardinality(String),
  osName LowCardinality(String),
  flightRing LowCardinality(String),
  oemName LowCardinality(String),
  oemModel LowCardinality(String),
  market LowCardinality(String),
  symbol LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  architecture LowCardinality(String),
  driverVersion LowCardinality(String),
  deviceType LowCardinality(String),
  eventType LowCardinality(String),
  deviceCount Decimal(38, 18),
  eventCount Decimal(38, 18),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_driver_failurehits}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_driver_failuredetails (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  submissionId LowCardinality(String),
  applicationId LowCardinality(String),
  architecture LowCardinality(String),
  cabIdHash String,
  cabType LowCardinality(String),
  clientDeviceId String,
  timestamp DateTime64(3, 'UTC'),
  deviceType LowCardinality(String),
  driverName LowCardinality(String),
  driverVersion LowCardinality(String),
  failureHash LowCardinality(String),
  failureName LowCardinality(String),
  market LowCardinality(String),
  oemModel LowCardinality(String),
  oemName LowCardinality(String),
  osName LowCardinality(String),
  osVersion LowCardinality(String),
  symbol LowCardinality(String),
  eventType LowCardinality(String),
  flightRing LowCardinality(String),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_driver_failuredetails}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_ihvdriver_failurehits (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  driverName LowCardinality(String),
  osVersion LowCardinality(String),
  osName LowCardinality(String),
  flightRing LowCardinality(String),
  oemName LowCardinality(String),
  oemModel LowCardinality(String),
  market LowCardinality(String),
  symbol LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  architecture LowCardinality(String),
  driverVersion LowCardinality(String),
  deviceType LowCardinality(String),
  eventType LowCardinality(String),
  deviceCount Decimal(38, 18),
  eventCount Decimal(38, 18),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_ihvdriver_failurehits}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_ihvdriver_failuredetails (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  architecture LowCardinality(String),
  cabIdHash String,
  cabType LowCardinality(String),
  clientDeviceId String,
  timestamp DateTime64(3, 'UTC'),
  deviceType LowCardinality(String),
  driverName LowCardinality(String),
  driverVersion LowCardinality(String),
  failureHash LowCardinality(String),
  failureName LowCardinality(String),
  market LowCardinality(String),
  oemModel LowCardinality(String),
  oemName LowCardinality(String),
  osName LowCardinality(String),
  osVersion LowCardinality(String),
  symbol LowCardinality(String),
  eventType LowCardinality(String),
  flightRing LowCardinality(String),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_ihvdriver_failuredetails}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_hardware_failurehits (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  mode LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  symbol LowCardinality(String),
  osVersion LowCardinality(String),
  eventType LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  moduleName LowCardinality(String),
  moduleVersion LowCardinality(String),
  architecture LowCardinality(String),
  model LowCardinality(String),
  baseboard LowCardinality(String),
  modelFamily LowCardinality(String),
  flightRing LowCardinality(String),
  eventCount Decimal(38, 18),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_hardware_failurehits}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
CREATE TABLE IF NOT EXISTS mirror_hardware_failuredetails (
  accountId LowCardinality(String),
  scope LowCardinality(String),
  isDay Bool,
  date Date,
  timestamp DateTime64(3, 'UTC'),
  mode LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  cabIdHash String,
  cabType LowCardinality(String),
  osVersion LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  moduleName LowCardinality(String),
  moduleVersion LowCardinality(String),
  architecture LowCardinality(String),
  model LowCardinality(String),
  baseboard LowCardinality(String),
  modelFamily LowCardinality(String),
  flightRing LowCardinality(String),
  symbol LowCardinality(String),
  packageVersion LowCardinality(String),
  osBuild LowCardinality(String),
  formerHashes Array(String) ALIAS CAST([], 'Array(String)'),
  level LowCardinality(String),
  grouping LowCardinality(String),
  dayRows UInt64,
  storedAt DateTime('UTC'),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_hardware_failuredetails}
ORDER BY (accountId, scope, isDay, date)
SETTINGS {dedup};
