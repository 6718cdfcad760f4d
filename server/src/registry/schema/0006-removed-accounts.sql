-- Accounts whose tenant was removed and whose files still have to go; removed_at is milliseconds in UTC. A file that was
-- being taken in meanwhile may come later, so an account stands here for a day at least.
CREATE TABLE removed_accounts (
  account_id TEXT PRIMARY KEY,
  removed_at BIGINT NOT NULL
);
