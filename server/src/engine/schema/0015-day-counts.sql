-- How many rows reports of full grain have, by product and day: rows that differ in at least one of the columns that the
-- grain names. A job counts the rows of the commits up to seq; a day that later ones add to is counted again under their
-- number, so of a day the row with the greatest seq holds that the registry's table rollups has reached.
CREATE TABLE IF NOT EXISTS dayCounts (
  accountId LowCardinality(String),
  grain LowCardinality(String),
  applicationId LowCardinality(String),
  date Date,
  rowCount UInt64,
  seq UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = {merge_tree:dayCounts}
ORDER BY (accountId, grain, applicationId, date)
SETTINGS {dedup};
