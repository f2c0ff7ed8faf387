-- Pauses of an account or of one of its users; what happened lately, for whoever asks why a user
-- shows something or what another mapping would have done; the steps of Sync now; and the
-- minutes' figures by the hour.

-- When a sync rests. One row with an empty user for the whole account, one for each user who has
-- a pause of their own.
CREATE TABLE presence_pauses (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id text NOT NULL,
    -- paused until then
    paused_until timestamptz,
    -- working hours, outside of which it is paused; all null when there are none. Days are bits:
    -- Monday is 1, Sunday 64. Minutes are those of the day; hours that end before they begin go
    -- past midnight.
    zone text,
    days smallint,
    from_minute smallint,
    to_minute smallint,
    -- whether it is paused, as the worker last saw: for lists
    paused boolean NOT NULL,
    -- the worker has yet to make due whomever it concerns: a statement that changes a pause does
    -- not see events that are being written at the same moment
    changed boolean NOT NULL DEFAULT true,
    PRIMARY KEY (account_id, user_id),
    CHECK (num_nulls(zone, days, from_minute, to_minute) IN (0, 4)),
    CHECK (days BETWEEN 1 AND 127 AND from_minute BETWEEN 0 AND 1439 AND to_minute BETWEEN 0 AND 1439)
);

CREATE INDEX presence_pauses_changed ON presence_pauses (account_id) WHERE changed;

-- What happened to whom: events that changed a state, and requests that changed something or
-- failed. Rows are only added; there are six slots of six hours, and the oldest is emptied as a
-- whole before its turn comes again. No reference to accounts: it would be checked for every row.
CREATE SEQUENCE presence_history_ids CACHE 100;

CREATE TABLE presence_history (
    account_id uuid NOT NULL,
    slot smallint NOT NULL,
    user_id text NOT NULL,
    -- an event was received, or a request was made
    at timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('presence_history_ids'),
    -- the telephone's state as CloudLink spelled it, and its own time; null: a request
    state text,
    entered_at timestamptz,
    -- what was asked for: one of the five, or 'clear'
    asked_for text,
    answer_status int,
    answer_ms int,
    request_id text,
    PRIMARY KEY (account_id, user_id, at, id, slot)
) PARTITION BY LIST (slot);

CREATE TABLE presence_history_0 PARTITION OF presence_history FOR VALUES IN (0);
CREATE TABLE presence_history_1 PARTITION OF presence_history FOR VALUES IN (1);
CREATE TABLE presence_history_2 PARTITION OF presence_history FOR VALUES IN (2);
CREATE TABLE presence_history_3 PARTITION OF presence_history FOR VALUES IN (3);
CREATE TABLE presence_history_4 PARTITION OF presence_history FOR VALUES IN (4);
CREATE TABLE presence_history_5 PARTITION OF presence_history FOR VALUES IN (5);

-- How the latest Sync now of an account went, step by step.
CREATE TABLE presence_sync_steps (
    account_id uuid NOT NULL REFERENCES presence_accounts ON DELETE CASCADE,
    step text NOT NULL CHECK (step IN ('connect', 'cloudlink', 'entra', 'match', 'push')),
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- how many were read, matched or pushed so far
    done bigint NOT NULL DEFAULT 0,
    -- why it ended badly; null: it did not
    trouble text,
    detail text,
    PRIMARY KEY (account_id, step)
);

-- Of the delays: our share, until the request left, and Microsoft's, until its answer came.
ALTER TABLE push_minutes
    ADD COLUMN ours int[] NOT NULL DEFAULT '{}',
    ADD COLUMN microsoft int[] NOT NULL DEFAULT '{}';

-- Minutes added up by the hour, for a week's picture.
CREATE TABLE push_hours (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    hour timestamptz NOT NULL,
    pushes bigint NOT NULL,
    failures bigint NOT NULL,
    throttled_ms bigint NOT NULL,
    delays bigint[] NOT NULL,
    ours bigint[] NOT NULL,
    microsoft bigint[] NOT NULL,
    PRIMARY KEY (account_id, hour)
);

CREATE INDEX push_hours_hour ON push_hours (hour);

-- The hours that have been added up.
CREATE TABLE push_hours_closed (
    hour timestamptz PRIMARY KEY
);

-- The list of users: by name, with all that a search looks into, so that one that finds nobody
-- reads the index alone; and by address.
DROP INDEX cloudlink_users_name;
CREATE INDEX cloudlink_users_name ON cloudlink_users (account_id, lower(name), user_id)
    INCLUDE (name, searched);
DROP INDEX cloudlink_users_email;
CREATE INDEX cloudlink_users_email ON cloudlink_users (account_id, lower(email), user_id);

-- The same words as before, and one for an account that is paused.
CREATE OR REPLACE VIEW account_health AS
SELECT a.id AS account_id, t.cause,
    CASE
        WHEN a.deleting_since IS NOT NULL OR i.removing_since IS NOT NULL THEN 'removing'
        WHEN i.id IS NULL THEN 'none'
        WHEN c.integration_id IS NULL THEN 'setup'
        WHEN t.needs_person THEN 'attention'
        WHEN a.deactivated_at IS NOT NULL OR f.enabled IS NOT TRUE THEN 'off'
        WHEN z.paused THEN 'paused'
        WHEN t.cause IS NOT NULL THEN 'waiting'
        ELSE 'syncing'
    END AS health
FROM accounts a
LEFT JOIN integrations i ON i.account_id = a.id AND i.kind = 'microsoft-teams'
LEFT JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id AND f.feature = 'presence-sync'
LEFT JOIN presence_pauses z ON z.account_id = a.id AND z.user_id = ''
LEFT JOIN (
    SELECT DISTINCT ON (account_id) account_id, cause, needs_person FROM presence_troubles
    ORDER BY account_id, needs_person DESC, since
) t ON t.account_id = a.id;
