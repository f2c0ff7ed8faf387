-- What keeps many accounts, and large ones, cheap.

-- Something was read that nobody has been matched with yet. A reading that finds nothing new
-- writes nothing and matches nobody.
ALTER TABLE presence_accounts ADD COLUMN unmatched boolean NOT NULL DEFAULT false;
ALTER TABLE presence_accounts ALTER COLUMN unmatched SET DEFAULT true;

-- Who is gone is found by comparing, not by marking everybody who is there.
ALTER TABLE cloudlink_users DROP COLUMN generation;
CREATE INDEX entra_users_gone ON entra_users (account_id) WHERE gone;
