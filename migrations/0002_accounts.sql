-- The partner's customers, and what was done to them.
--
-- Every table of an account carries account_id first in its primary key, so that the whole
-- can be distributed by account as it is.

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    cloudlink_account_id text NOT NULL CONSTRAINT accounts_cloudlink_account_id_key UNIQUE,
    country text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    city text NOT NULL DEFAULT '',
    postal_code text NOT NULL DEFAULT '',
    -- a language tag such as en-GB
    language text NOT NULL DEFAULT '',
    support_emails text[] NOT NULL DEFAULT '{}',
    deactivated_at timestamptz,
    -- set by Delete when something of ours may still stand in Teams: cleared first, then the row goes
    deleting_since timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX accounts_name ON accounts (lower(name), id);
CREATE INDEX accounts_created_at ON accounts (created_at, id);

-- Which accounts an account admin or auditor looks after. A partner admin needs no row.
CREATE TABLE staff_accounts (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    PRIMARY KEY (account_id, staff_id)
);

CREATE INDEX staff_accounts_staff_id ON staff_accounts (staff_id);

-- Staff as the staff pages show them.
CREATE VIEW people AS
SELECT staff.id, staff.name, staff.email, staff.role, staff.password_hash IS NOT NULL AS has_password,
    staff.disabled_at, staff.last_sign_in_at, assigned.accounts, assigned.account_name,
    EXISTS (
        SELECT FROM second_factors AS factor
        WHERE factor.staff_id = staff.id AND factor.confirmed_at IS NOT NULL
    ) AS has_second_factor
FROM staff CROSS JOIN LATERAL (
    SELECT count(*) AS accounts,
        CASE WHEN count(*) = 1 THEN min(accounts.name) END AS account_name
    FROM staff_accounts JOIN accounts ON accounts.id = staff_accounts.account_id
    WHERE staff_accounts.staff_id = staff.id
) AS assigned;

-- Who did what, when, from where. Rows are only ever added.
CREATE TABLE activity (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    -- null: the portal itself, or somebody before signing in
    staff_id uuid,
    -- the actor's e-mail as it was then; 'portal' for ourselves
    actor text NOT NULL,
    -- where from; empty for ourselves
    address text NOT NULL,
    -- not a reference: what was done to a deleted account stays readable
    account_id uuid,
    account_name text,
    -- such as 'account.created', 'integration.secret_replaced'
    action text NOT NULL,
    -- one sentence, never a secret
    summary text NOT NULL,
    -- {"field": {"old": …, "new": …}}; empty when nothing changed its value
    changes jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX activity_at ON activity (at DESC, id DESC);
CREATE INDEX activity_account ON activity (account_id, id DESC);
