-- Accounts whose tenant was removed by a version that left their rows in the engine.
INSERT INTO removed_accounts (account_id, removed_at)
SELECT account_id, 0 FROM account_commits
WHERE account_id NOT IN (SELECT account_id FROM tenants)
  AND account_id NOT IN (SELECT account_id FROM removed_accounts);
