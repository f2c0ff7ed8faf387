-- What CloudLink says, what Teams should show, and what we told it: the tables are the truth
-- that every worker makes true outside.

-- The portal's processes. One heartbeat each keeps all of its leases.
CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    version text NOT NULL
);

-- One row for each account whose sync is on or being cleared up: its feed, its worker, its health.
CREATE TABLE presence_accounts (
    account_id uuid PRIMARY KEY REFERENCES accounts,

    -- Which node works for it. The term rises with every change of hands, and what is written
    -- under an older term is refused.
    node_id uuid REFERENCES nodes ON DELETE SET NULL,
    term bigint NOT NULL DEFAULT 0,

    -- The webhook's key: its digest to recognise it, sealed for 'hook/{account_id}' to subscribe with it.
    hook_digest bytea NOT NULL CONSTRAINT presence_accounts_hook_key UNIQUE,
    hook_key bytea NOT NULL,
    subscription_id text,
    subscription_checked_at timestamptz,
    last_event_at timestamptz,

    -- The directories as last read. The delta link is where Microsoft's next changes begin.
    delta_link text,
    directory_refreshed_at timestamptz,
    users_refreshed_at timestamptz,

    -- Health: a named cause, since when, in whose words; null when all is well.
    trouble text,
    trouble_detail text NOT NULL DEFAULT '',
    trouble_since timestamptz,
    last_success_at timestamptz,
    last_pushed_at timestamptz
);

CREATE INDEX presence_accounts_node ON presence_accounts (node_id);
CREATE INDEX presence_accounts_trouble ON presence_accounts (trouble_since) WHERE trouble IS NOT NULL;

-- People in CloudLink, and the Entra user each is matched with.
CREATE TABLE cloudlink_users (
    account_id uuid NOT NULL REFERENCES accounts,
    user_id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    -- null: not matched, and match_trouble says why
    entra_id uuid,
    match_trouble text CHECK (match_trouble IN ('not-in-entra', 'duplicate', 'disabled', 'no-teams')),
    -- chosen by hand: automatic matching leaves it alone
    matched_by_hand boolean NOT NULL DEFAULT false,
    excluded boolean NOT NULL DEFAULT false,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX cloudlink_users_email ON cloudlink_users (account_id, lower(email));
CREATE INDEX cloudlink_users_entra ON cloudlink_users (account_id, entra_id);

-- People in Entra, as the delta query tells.
CREATE TABLE entra_users (
    account_id uuid NOT NULL REFERENCES accounts,
    entra_id uuid NOT NULL,
    user_principal_name text NOT NULL,
    mail text,
    -- lower case, without the 'smtp:' in front
    proxy_addresses text[] NOT NULL DEFAULT '{}',
    display_name text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    PRIMARY KEY (account_id, entra_id)
);

-- One row per CloudLink user of whom an event came: what it said, what Teams should show for it,
-- and what we last told Teams.
CREATE TABLE presences (
    account_id uuid NOT NULL REFERENCES accounts,
    user_id text NOT NULL,

    -- The newest event, by its own time.
    state text NOT NULL,
    entered_at timestamptz NOT NULL,
    publication_id text NOT NULL,
    received_at timestamptz NOT NULL,

    -- Teams, as we last told it: null when it holds no session of ours. The Entra user the
    -- session was set on is kept, so that it can be cleared after the match has changed.
    applied text,
    applied_entra_id uuid,
    applied_at timestamptz,
    -- when the session ends by itself
    expires_at timestamptz,

    -- When something is to be done next for this user (push, renew, try again); null: nothing.
    due_at timestamptz,
    failures int NOT NULL DEFAULT 0,
    trouble text,

    -- The last request, for whoever asks why a user shows what they show.
    asked_at timestamptz,
    asked_for text,
    answer_status int,
    answer_ms int,
    request_id text,

    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX presences_due ON presences (account_id, due_at) WHERE due_at IS NOT NULL;

-- Rules of an account that differ from the default mapping.
CREATE TABLE mappings (
    account_id uuid NOT NULL REFERENCES accounts,
    -- folded: lower case, without spaces, _ and -
    state text NOT NULL,
    shows text NOT NULL,
    PRIMARY KEY (account_id, state)
);

-- States CloudLink sent that no rule names.
CREATE TABLE unmapped_states (
    account_id uuid NOT NULL REFERENCES accounts,
    state text NOT NULL,
    seen bigint NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, state)
);

-- What was pushed, minute by minute, for the pictures.
CREATE TABLE push_minutes (
    account_id uuid NOT NULL REFERENCES accounts,
    minute timestamptz NOT NULL,
    pushes int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    throttled_ms bigint NOT NULL DEFAULT 0,
    -- counts of delays (event received to Graph's answer), by bucket of the code's histogram
    delays int[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, minute)
);
