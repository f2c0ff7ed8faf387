-- What a connection proves itself with: a client secret or a certificate. Beside the one in
-- force lies one that is to follow, and for a while the one before.

ALTER TABLE connections
    -- what is sealed in `secret`: a client secret, or the private key of the certificate
    ADD COLUMN credential text NOT NULL DEFAULT 'secret' CHECK (credential IN ('secret', 'certificate')),
    -- DER; of a certificate only
    ADD COLUMN certificate bytea,
    -- who says that secret_expires_on is right, and when they said so; null: it was always there
    ADD COLUMN expiry_source text CHECK (expiry_source IN ('typed', 'entra', 'certificate')),
    ADD COLUMN expiry_by text,
    ADD COLUMN expiry_at timestamptz,
    ADD CONSTRAINT connections_certificate CHECK ((credential = 'certificate') = (certificate IS NOT NULL));

-- Whoever takes one into force, or takes it back, does so in one transaction that first locks the
-- connection in the version that was seen: of several nodes one does it, and once.
CREATE TABLE spare_credentials (
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    -- next: was entered early and takes over. previous: was in force until now, and is kept until
    -- the one after it has proved itself
    slot text NOT NULL CHECK (slot IN ('next', 'previous')),
    credential text NOT NULL CHECK (credential IN ('secret', 'certificate')),
    -- sealed for the connection, as its own is
    secret bytea NOT NULL,
    certificate bytea,
    expires_on date,
    expiry_source text CHECK (expiry_source IN ('typed', 'entra', 'certificate')),
    expiry_by text,
    expiry_at timestamptz,
    -- in this slot
    since timestamptz NOT NULL,
    -- Microsoft let us in with it; null: not yet, or not any more
    accepted_at timestamptz,
    -- what Microsoft said instead
    refused text,
    refused_detail text,
    refused_at timestamptz,
    -- when to try it, while it is not accepted; null: only when a person says so
    try_at timestamptz,
    PRIMARY KEY (account_id, integration_id, slot),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE,
    CONSTRAINT spare_credentials_certificate CHECK ((credential = 'certificate') = (certificate IS NOT NULL))
);
