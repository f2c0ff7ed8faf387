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

-- A browser that is signed in. Its id is 256 random bits; we keep the digest.
CREATE TABLE sessions (
    digest bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    -- last use, written at most once a minute
    seen_at timestamptz NOT NULL,
    address text NOT NULL,
    browser text NOT NULL
);

CREATE INDEX sessions_staff_id ON sessions (staff_id);

-- One-time links by which an invited person sets a password.
CREATE TABLE invitations (
    digest bytea PRIMARY KEY,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

-- How often signing in failed, by e-mail and by address, and until when nobody may try.
CREATE TABLE sign_in_failures (
    subject text PRIMARY KEY,
    failures int NOT NULL,
    last_at timestamptz NOT NULL,
    closed_until timestamptz
);

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
