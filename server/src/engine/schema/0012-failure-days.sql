-- Failures summed by day: how many hits of equal dimensions one device had. A job makes these rows of the commits up to
-- one that no promised snapshot lies below, and leaves out what a later commit could take the place of (failures with a
-- crash file), so that a row holds for ever. seq is the last commit of the sum; a row counts once the registry's table
-- rollups says that the sum is complete. Nobody was renamed here, so there are no former hashes.
CREATE TABLE IF NOT EXISTS failureDays (
  accountId LowCardinality(String),
  source LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  deviceKey UInt128,
  eventType LowCardinality(String),
  failureName LowCardinality(String),
  failureHash LowCardinality(String),
  symbol LowCardinality(String),
  market LowCardinality(String),
  deviceType LowCardinality(String),
  osVersion LowCardinality(String),
  osRelease LowCardinality(String),
  osBuild LowCardinality(String),
  osName LowCardinality(String),
  architecture LowCardinality(String),
  flightRing LowCardinality(String),
  packageName LowCardinality(String),
  packageVersion LowCardinality(String),
  applicationVersion LowCardinality(String),
  fileName LowCardinality(String),
  driverName LowCardinality(String),
  driverVersion LowCardinality(String),
  submissionId LowCardinality(String),
  oemName LowCardinality(String),
  oemModel LowCardinality(String),
  moduleName LowCardinality(String),
  moduleVersion LowCardinality(String),
  mode LowCardinality(String),
  model LowCardinality(String),
  modelFamily LowCardinality(String),
  baseboard LowCardinality(String),
  formerHashes Array(LowCardinality(String)) ALIAS CAST([], 'Array(LowCardinality(String))'),
  hits UInt64,
  seq UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = {merge_tree:failureDays}
ORDER BY (accountId, source, applicationId, date, failureHash, deviceKey)
SETTINGS {dedup};
-- Readers of the sums still need the failures with a crash file, and find out at once where there are none.
ALTER TABLE failures ADD INDEX IF NOT EXISTS byCabBytes cabBytes TYPE minmax GRANULARITY 16;
ALTER TABLE failures MATERIALIZE INDEX byCabBytes;
