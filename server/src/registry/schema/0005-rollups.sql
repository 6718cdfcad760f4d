-- Sums of a dataset's rows beside them: those of the commits up to `seq` are complete, of `row_count` rows. An attempt
-- to go on has a number of its own; `begun_at` is the time of one that has not ended, in milliseconds.
CREATE TABLE rollups (
  account_id TEXT NOT NULL,
  dataset TEXT NOT NULL,
  seq BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  begun_at BIGINT,
  PRIMARY KEY (account_id, dataset)
);
