-- Symbol files that an account has. Ids are in upper case, as Breakpad spells them; code_id is null where a file has
-- none. bytes and content_hash (SHA-256, hex) are of the unpacked text; stored_at is milliseconds in UTC.
CREATE TABLE symbols (
  account_id TEXT NOT NULL,
  debug_id TEXT NOT NULL,
  code_id TEXT,
  module TEXT NOT NULL,
  os TEXT NOT NULL,
  architecture TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  functions BIGINT NOT NULL,
  content_hash TEXT NOT NULL,
  stored_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, debug_id)
);

CREATE INDEX symbols_by_code ON symbols (account_id, code_id);
