-- What CloudLink says, what Teams should show, and what we told it: the tables are the truth
-- that every worker makes true outside.

-- The portal's processes. One heartbeat each keeps all of its leases.
CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    version text NOT NULL
);

-- One row for each account whose sync is on, or of which something is left to clear up: its
-- lease and its feed. It goes when the last session of ours is cleared, and what hangs on it too.
CREATE TABLE presence_accounts (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,

    -- Which node works for it. The term rises with every change of hands, and what is written
    -- under an older term is refused.
    node_id uuid REFERENCES nodes ON DELETE SET NULL,
    term bigint NOT NULL DEFAULT 0,

    -- The webhook's key: its digest to recognise it, sealed for 'hook/{account_id}' to subscribe with it.
    hook_digest bytea NOT NULL CONSTRAINT presence_accounts_hook_key UNIQUE,
    hook_key bytea NOT NULL,
    subscription_id text,
    subscription_checked_at timestamptz,
    -- written at most every few seconds
    last_event_at timestamptz,

    -- The directories as last read. The delta link is where Microsoft's next changes begin.
    delta_link text,
    -- whose directory that is: another tenant's is read from the start
    delta_tenant uuid,
    -- rises with every reading of a directory from the start
    generation bigint NOT NULL DEFAULT 0,
    directory_refreshed_at timestamptz,
    users_refreshed_at timestamptz,
    -- a person pressed Sync now
    sync_asked_at timestamptz,
    -- an event named a user we did not know
    stranger_at timestamptz,
    -- a directory had shrunk beyond belief, and a person has to say that it is right
    braked_at timestamptz,

    -- Microsoft asked for no request until then.
    throttled_until timestamptz,
    last_success_at timestamptz,
    last_pushed_at timestamptz
);

CREATE INDEX presence_accounts_node ON presence_accounts (node_id);

-- What is wrong with an account's sync, one row for each side it is wrong on. No row: all is well.
CREATE TABLE presence_troubles (
    account_id uuid NOT NULL REFERENCES presence_accounts ON DELETE CASCADE,
    -- microsoft: signing in and presence; directory: reading and believing it; feed: CloudLink
    side text NOT NULL CHECK (side IN ('microsoft', 'directory', 'feed')),
    cause text NOT NULL,
    detail text NOT NULL,
    since timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    -- whether a person has to act; else it passes by itself
    needs_person boolean NOT NULL,
    PRIMARY KEY (account_id, side)
);

CREATE INDEX presence_troubles_since ON presence_troubles (since);

-- People in CloudLink, and the Entra user each is matched with.
CREATE TABLE cloudlink_users (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    -- what a search looks into
    searched text NOT NULL GENERATED ALWAYS AS (lower(name) || ' ' || lower(email)) STORED,
    -- null: not matched, and match_trouble says why, or that is null too: not looked for yet
    entra_id uuid,
    match_trouble text CHECK (match_trouble IN ('not-in-entra', 'duplicate', 'disabled', 'no-teams')),
    -- chosen by hand: automatic matching leaves it alone
    matched_by_hand boolean NOT NULL DEFAULT false,
    excluded boolean NOT NULL DEFAULT false,
    -- the worker has yet to make due what hangs on the match: a statement that changes matches
    -- does not see events that are being written at the same moment
    match_changed boolean NOT NULL DEFAULT false,
    -- Microsoft said of this Entra user that it has no Teams, or is not there
    refused_entra_id uuid,
    refused_at timestamptz,
    -- which reading of the users named it last
    generation bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX cloudlink_users_email ON cloudlink_users (account_id, lower(email));
CREATE INDEX cloudlink_users_entra ON cloudlink_users (account_id, entra_id);
-- The list of users, page by page, and those of them somebody has to look at.
CREATE INDEX cloudlink_users_name ON cloudlink_users (account_id, lower(name), user_id);
CREATE INDEX cloudlink_users_unmatched ON cloudlink_users (account_id, lower(name), user_id)
    INCLUDE (match_trouble) WHERE entra_id IS NULL AND NOT excluded;
CREATE INDEX cloudlink_users_excluded ON cloudlink_users (account_id, lower(name), user_id) WHERE excluded;

CREATE INDEX cloudlink_users_changed ON cloudlink_users (account_id) WHERE match_changed;

-- People in Entra, as the delta query tells.
CREATE TABLE entra_users (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    entra_id uuid NOT NULL,
    user_principal_name text NOT NULL,
    mail text,
    -- lower case, without the 'smtp:' in front
    proxy_addresses text[] NOT NULL DEFAULT '{}',
    display_name text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    -- which reading from the start named it last
    generation bigint NOT NULL DEFAULT 0,
    -- the reading that is going on says it is gone
    gone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, entra_id)
);

-- One row per CloudLink user of whom an event came: what it said, what Teams should show for it,
-- and what we last told Teams.
CREATE TABLE presences (
    account_id uuid NOT NULL REFERENCES presence_accounts ON DELETE CASCADE,
    user_id text NOT NULL,

    -- The newest event, by its own time.
    state text NOT NULL,
    entered_at timestamptz NOT NULL,
    publication_id text NOT NULL,
    received_at timestamptz NOT NULL,

    -- The newest event that the mapping did not answer with "no change", and what Teams should
    -- show for it: null lets Teams decide.
    decided_state text,
    decided_at timestamptz,
    decided_by text,
    wanted text,

    -- Teams, as we last told it: null when it holds no session of ours. The Entra user the
    -- session was set on is kept, so that it can be cleared after the match has changed.
    applied text,
    applied_entra_id uuid,
    applied_at timestamptz,
    -- when the session ends by itself
    expires_at timestamptz,
    -- false: a request got no answer, so it may hold that or what was there before
    certain boolean NOT NULL DEFAULT true,

    -- When something is to be done next for this user (push, renew, try again); null: nothing.
    due_at timestamptz,
    -- 0 a call begins or ends, 1 another change, 2 a renewal, 3 clearing what was switched off
    urgency smallint NOT NULL DEFAULT 1,
    -- the event that waits to be told, received then; null: none waits
    waiting_since timestamptz,
    -- rises whenever somebody other than the worker makes it due
    revision bigint NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    trouble text,

    -- The last request, for whoever asks why a user shows what they show.
    asked_at timestamptz,
    asked_for text,
    answer_status int,
    answer_ms int,
    request_id text,

    PRIMARY KEY (account_id, user_id)
) WITH (fillfactor = 80);

-- Whom we show something for, and with whom it does not work.
CREATE INDEX presences_held ON presences (account_id, user_id) WHERE applied IS NOT NULL;
CREATE INDEX presences_trouble ON presences (account_id, user_id) WHERE trouble IS NOT NULL;
CREATE INDEX presences_due ON presences (account_id, urgency, due_at) WHERE due_at IS NOT NULL;

-- Events from the future count from when they came, however often they come again.
CREATE TABLE future_events (
    account_id uuid NOT NULL REFERENCES presence_accounts ON DELETE CASCADE,
    publication_id text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, publication_id)
);

CREATE INDEX future_events_received ON future_events (received_at);

-- Rules of an account that differ from the default mapping.
CREATE TABLE mappings (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- folded: lower case, without spaces, _ and -
    state text NOT NULL,
    -- one of the five, or 'clear' (let Teams decide), or 'no-change'
    shows text NOT NULL,
    PRIMARY KEY (account_id, state)
);

-- States CloudLink sent that no rule names.
CREATE TABLE unmapped_states (
    account_id uuid NOT NULL REFERENCES presence_accounts ON DELETE CASCADE,
    -- folded, and as it came last
    state text NOT NULL,
    spelled text NOT NULL,
    seen bigint NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, state)
);

-- What was pushed, minute by minute, for the pictures.
CREATE TABLE push_minutes (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    minute timestamptz NOT NULL,
    pushes int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    throttled_ms bigint NOT NULL DEFAULT 0,
    -- counts of delays (event received to Graph's answer), by bucket of the code's histogram
    delays int[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, minute)
);

CREATE INDEX push_minutes_minute ON push_minutes (minute);

-- The same over all accounts, for minutes in which nothing can be pushed any more: added up once,
-- by whoever asks first.
CREATE TABLE push_totals (
    minute timestamptz PRIMARY KEY,
    pushes bigint NOT NULL,
    failures bigint NOT NULL,
    throttled_ms bigint NOT NULL,
    delays bigint[] NOT NULL
);

-- How each account is doing, in one word, for lists and totals; and the cause when something is wrong.
CREATE VIEW account_health AS
SELECT a.id AS account_id, t.cause,
    CASE
        WHEN a.deleting_since IS NOT NULL OR i.removing_since IS NOT NULL THEN 'removing'
        WHEN i.id IS NULL THEN 'none'
        WHEN c.integration_id IS NULL THEN 'setup'
        WHEN t.needs_person THEN 'attention'
        WHEN a.deactivated_at IS NOT NULL OR f.enabled IS NOT TRUE THEN 'off'
        WHEN t.cause IS NOT NULL THEN 'waiting'
        ELSE 'syncing'
    END AS health
FROM accounts a
LEFT JOIN integrations i ON i.account_id = a.id AND i.kind = 'microsoft-teams'
LEFT JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id AND f.feature = 'presence-sync'
LEFT JOIN (
    SELECT DISTINCT ON (account_id) account_id, cause, needs_person FROM presence_troubles
    ORDER BY account_id, needs_person DESC, since
) t ON t.account_id = a.id;
