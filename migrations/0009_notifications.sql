-- Whom problems are told to, what each of them was told, and the messages on their way. Then the
-- two kinds of link that lead in from outside: calendars of expiry dates, and renewal links.

-- A way to tell people: of one account, or of the partner, who hears of every account.
CREATE TABLE channels (
    id uuid PRIMARY KEY,
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('mail', 'webhook', 'slack', 'teams')),
    name text NOT NULL,
    -- mail: the addresses
    recipients text[] NOT NULL DEFAULT '{}',
    -- all others: where to, sealed for 'channel-url/{id}', since the path is often a password
    url bytea,
    -- the part of it that may be shown
    url_shown text NOT NULL DEFAULT '',
    -- what makes two channels with one URL one recipient
    url_digest bytea,
    -- webhook: sealed for 'channel-key/{id}'
    signing_key bytea,
    -- how often in a row nothing was taken, since when, and what was answered last
    failures int NOT NULL DEFAULT 0,
    failing_since timestamptz,
    failure text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);

CREATE INDEX channels_account ON channels (account_id);
CREATE INDEX channels_failing ON channels (failing_since) WHERE failing_since IS NOT NULL;

-- What a recipient was last told of a problem. What is open and not here is told; what is here
-- and not open any more is told to be over.
CREATE TABLE told (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- mailto:… or a digest of a URL: two channels that lead to one recipient tell once
    recipient text NOT NULL,
    -- what cannot be wrong twice at once: a side of the sync, or the secret's end
    problem text NOT NULL,
    -- told again when this changes
    reason text NOT NULL,
    -- the message that told it first, so that mail about one problem stays together
    message_id uuid NOT NULL,
    -- and the one that did last
    last_id uuid NOT NULL,
    told_at timestamptz NOT NULL,
    -- not open any more since; what comes and goes is given a while before it is called over
    gone_at timestamptz,
    PRIMARY KEY (account_id, recipient, problem)
);

-- Messages: on their way, delivered, or given up.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
    -- mail: the address
    address text NOT NULL DEFAULT '',
    recipient text NOT NULL,
    subject text NOT NULL,
    -- the message as a webhook gets it
    message jsonb NOT NULL,
    -- the message it goes on from
    after_id uuid,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'given-up')),
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    -- until then one node is at it
    claimed_until timestamptz,
    attempts int NOT NULL DEFAULT 0,
    tried_at timestamptz,
    -- what the other side said last
    answer text NOT NULL DEFAULT ''
);

CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'waiting';
CREATE INDEX outbox_order ON outbox (channel_id, address, id) WHERE state = 'waiting';
CREATE INDEX outbox_channel ON outbox (channel_id, id DESC);

-- Addresses under which a calendar program reads when secrets end. Their token is 256 random
-- bits; we keep the digest.
CREATE TABLE calendars (
    id uuid PRIMARY KEY,
    -- whose accounts it shows; null: those of the partner
    staff_id uuid REFERENCES staff ON DELETE CASCADE,
    name text NOT NULL,
    digest bytea NOT NULL CONSTRAINT calendars_digest_key UNIQUE,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    -- written at most once an hour
    read_at timestamptz
);

-- One-time links by which a customer's own admin renews the client secret. Ended ones are kept,
-- so that their page can say what became of them.
CREATE TABLE renewal_links (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    integration_id uuid NOT NULL,
    digest bytea NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended text CHECK (ended IN ('used', 'revoked')),
    ended_at timestamptz,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE
);

CREATE INDEX renewal_links_digest ON renewal_links (digest);
