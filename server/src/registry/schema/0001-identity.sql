-- Tenants, applications, keys, signing keys, products, audit. Times are milliseconds since 1970 in UTC, booleans 0
-- and 1, GUIDs in lower case.

-- Values of the installation: the pepper of key hashes, the hash of the operator key.
CREATE TABLE installation (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE tenants (
  tenant_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL UNIQUE,
  seller_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  created_at BIGINT NOT NULL
);

-- Domain names in lower case.
CREATE TABLE domains (
  domain TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE
);
CREATE INDEX domains_tenant ON domains (tenant_id);

-- principal_id is what tokens carry as oid and sub.
CREATE TABLE applications (
  tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  client_id TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, client_id)
);

CREATE TABLE application_keys (
  key_id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  hint TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT,
  FOREIGN KEY (tenant_id, client_id) REFERENCES applications (tenant_id, client_id) ON DELETE CASCADE
);
CREATE INDEX application_keys_application ON application_keys (tenant_id, client_id);

-- A key is next while activated_at is null, then current, and retired once retired_at is set.
CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  private_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  activated_at BIGINT,
  retired_at BIGINT
);

-- id_lower is the id in ASCII lower case: ids of an account differ in more than case.
CREATE TABLE products (
  account_id TEXT NOT NULL REFERENCES tenants (account_id) ON DELETE CASCADE,
  id_lower TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  parent_id TEXT,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, id_lower)
);

-- Who did what, when and with which outcome. No secrets.
CREATE TABLE audit (
  audit_id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
