-- Applications added to accounts, so far Microsoft Teams; their credentials, sealed; and what
-- they are switched to do.

CREATE TABLE integrations (
    account_id uuid NOT NULL REFERENCES accounts,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('microsoft-teams')),
    -- a release of the catalog in the code
    release int NOT NULL,
    added_at timestamptz NOT NULL,
    -- set by Remove: the worker clears up what we set outside, then deletes the row
    removing_since timestamptz,
    PRIMARY KEY (account_id, id),
    CONSTRAINT integrations_kind_key UNIQUE (account_id, kind)
);

-- Drawn for every new secret or identity. It never comes back, not even for an integration that
-- was removed and added again: so a token kept under a version belongs to nobody else.
CREATE SEQUENCE connection_versions AS int;

-- No row: the setup is not complete.
CREATE TABLE connections (
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    name text NOT NULL,
    tenant_id uuid NOT NULL,
    client_id uuid NOT NULL,
    cloud text NOT NULL CHECK (cloud IN ('global', 'gcc-high', 'dod')),
    -- sealed for 'connection/{account_id}/{integration_id}'
    secret bytea NOT NULL,
    -- from connection_versions: tokens are cached under it
    version int NOT NULL,
    secret_expires_on date,
    -- null: saved without testing, because Microsoft could not be reached
    tested_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, integration_id),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE
);

CREATE TABLE features (
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    feature text NOT NULL CHECK (feature IN ('presence-sync')),
    enabled boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, integration_id, feature),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE
);

-- Presence monitors that use the same secret: a list the admin keeps.
CREATE TABLE presence_monitors (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    name text NOT NULL,
    note text NOT NULL DEFAULT '',
    -- set when a new secret is saved, null once somebody ticks that the monitor has it too
    needs_secret_since timestamptz,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE
);

-- Only what a rare row is asked for: which accounts are being cleared up.
CREATE INDEX integrations_removing ON integrations (account_id) WHERE removing_since IS NOT NULL;

-- What Home looks for over all accounts.
CREATE INDEX connections_expiry ON connections (secret_expires_on) WHERE secret_expires_on IS NOT NULL;
CREATE INDEX presence_monitors_waiting ON presence_monitors (needs_secret_since)
    WHERE needs_secret_since IS NOT NULL;
