-- Long work over accounts: one run, and an item for each account it goes over. The rows say what
-- is to be done; any node does it.

CREATE TABLE runs (
    id uuid PRIMARY KEY,
    deed text NOT NULL CHECK (deed IN
        ('update', 'test', 'switch-on', 'switch-off', 'import', 'forget-imported')),
    -- one: an account's own Install update; fleet: in rings; bulk: over ticked accounts
    kind text NOT NULL CHECK (kind IN ('one', 'fleet', 'bulk')),
    -- whoever began it, as Activity names them
    staff_id uuid,
    actor text NOT NULL,
    address text NOT NULL,
    begun_at timestamptz NOT NULL,

    -- stopped: by failures, until somebody lets it go on
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped', 'cancelled', 'done')),
    stopped_why text,
    ended_at timestamptz,
    -- nothing further is begun; what is under way is finished
    cancelled_at timestamptz,

    -- Items of a later ring are not begun.
    ring smallint NOT NULL DEFAULT 0,
    -- how long to look on between two rings, and until when it does
    rest_seconds int NOT NULL DEFAULT 0,
    next_ring_at timestamptz,
    -- it stops after this many failures; null: never
    stops_after int,
    -- those somebody let it go on in spite of, and when
    forgiven int NOT NULL DEFAULT 0,
    resumed_at timestamptz,

    -- How many items there are, and what came of those that have ended.
    items int NOT NULL,
    done int NOT NULL DEFAULT 0,
    nothing int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,

    -- the run whose changes this one takes back
    undoes uuid REFERENCES runs ON DELETE SET NULL
);

CREATE INDEX runs_open ON runs (begun_at) WHERE state IN ('running', 'stopped');
-- Two fleets at once would update the same accounts.
CREATE UNIQUE INDEX runs_one_fleet ON runs (kind)
    WHERE kind = 'fleet' AND state IN ('running', 'stopped');
CREATE INDEX runs_begun ON runs (begun_at DESC);
CREATE INDEX runs_undoes ON runs (undoes) WHERE undoes IS NOT NULL;

CREATE TABLE run_items (
    -- not a reference: what was done to a deleted account stays readable
    account_id uuid NOT NULL,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    account_name text NOT NULL,
    ring smallint NOT NULL,
    -- in which order, over all rings
    place int NOT NULL,

    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'working', 'done', 'nothing', 'failed', 'cancelled')),
    -- its steps by name, once it is begun and has more than one; and how many are done
    plan text[] NOT NULL DEFAULT '{}',
    step smallint NOT NULL DEFAULT 0,
    -- what came of it; of a failure: what is the matter, and what to do
    said text NOT NULL DEFAULT '',
    advice text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    begun_at timestamptz,
    ended_at timestamptz,
    -- somebody pressed Done
    seen_at timestamptz,

    -- Which node works on it, and until when it is believed to. The claim rises with every
    -- change of hands, and what is written under an older one is refused.
    node_id uuid,
    claim bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz,

    PRIMARY KEY (account_id, run_id)
);

CREATE INDEX run_items_run ON run_items (run_id, place);
CREATE INDEX run_items_open ON run_items (run_id, place) WHERE state IN ('waiting', 'working');
