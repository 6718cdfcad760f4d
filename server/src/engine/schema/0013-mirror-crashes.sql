-- Stacks and crash files copied from other servers of the API: a commit each. programme is what stands before the slash
-- in the report's name, '' for apps; scope a product, '' for the whole account; name the identifier under which the source
-- gives it, in lower case; date the day of the failure. stack is a JSON list of frames; cabBytes and fileId (under which the
-- store of files has it) are those of a file. Of equal programme, scope, kind and name the newest commit counts.
CREATE TABLE IF NOT EXISTS mirror_crashes (
  accountId LowCardinality(String),
  programme LowCardinality(String),
  scope LowCardinality(String),
  kind LowCardinality(String),
  name String,
  date Date,
  stack String CODEC(ZSTD(1)),
  cabBytes UInt64,
  fileId String,
  seq UInt64 CODEC(Delta, ZSTD(1)),
  INDEX bySeq seq TYPE minmax GRANULARITY 16
)
ENGINE = {merge_tree:mirror_crashes}
ORDER BY (accountId, programme, kind, name)
SETTINGS {dedup};
