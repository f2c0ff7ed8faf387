-- The people who sign in here, and how they prove who they are.

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('partner-admin', 'account-admin', 'auditor')),
    -- argon2id, in PHC form; null until an invitation is accepted
    password_hash text,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL,
    last_sign_in_at timestamptz
);

CREATE UNIQUE INDEX staff_email_key ON staff (lower(email));

-- A browser that is signed in. Its token is 256 random bits; we keep the digest.
CREATE TABLE sessions (
    digest bytea PRIMARY KEY,
    -- what a page may call it by
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    -- last use, written at most once a minute
    seen_at timestamptz NOT NULL,
    address text NOT NULL,
    browser text NOT NULL
);

CREATE INDEX sessions_staff_id ON sessions (staff_id);
CREATE INDEX sessions_created_at ON sessions (created_at);

-- A browser whose password was right and which still owes the code of the second factor.
CREATE TABLE half_sign_ins (
    digest bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);

CREATE INDEX half_sign_ins_staff_id ON half_sign_ins (staff_id);

-- One-time links by which a person sets a password. Ended ones are kept a while, so that
-- their page can say what became of them.
CREATE TABLE one_time_links (
    digest bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('invitation', 'password-reset')),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended text CHECK (ended IN ('used', 'revoked', 'replaced'))
);

CREATE UNIQUE INDEX one_time_links_live ON one_time_links (staff_id) WHERE ended IS NULL;
CREATE INDEX one_time_links_staff_id ON one_time_links (staff_id);

-- The second factor: a secret shared with an authenticator app (RFC 6238).
CREATE TABLE second_factors (
    staff_id uuid PRIMARY KEY REFERENCES staff ON DELETE CASCADE,
    -- sealed for second-factor/{staff_id}
    secret bytea NOT NULL,
    -- null until a first code has shown that the app has the secret
    confirmed_at timestamptz,
    -- the newest time step whose code was used; none before it is taken again
    last_step bigint NOT NULL DEFAULT 0,
    -- sealed for recovery-codes/{staff_id}; null once their owner has kept them
    unread_codes bytea
);

-- Each signs in once, in place of a code of the second factor.
CREATE TABLE recovery_codes (
    staff_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
    digest bytea NOT NULL,
    PRIMARY KEY (staff_id, digest)
);

-- How often signing in failed, by e-mail and by address, and until when nobody may try.
CREATE TABLE sign_in_failures (
    subject text PRIMARY KEY,
    failures int NOT NULL,
    last_at timestamptz NOT NULL,
    closed_until timestamptz
);

CREATE INDEX sign_in_failures_last_at ON sign_in_failures (last_at);

-- The code that makes the first partner admin: at most one row, gone once used.
CREATE TABLE setup_code (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    digest bytea NOT NULL
);

-- A text sealed with the master key, to know at start whether the key is the right one.
CREATE TABLE key_check (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    sealed bytea NOT NULL
);
