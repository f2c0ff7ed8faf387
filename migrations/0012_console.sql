-- What the console needs to be quick at ten thousand accounts, and an Activity that shows when
-- somebody meddled with it.

-- The list of accounts, ready to be searched, filtered and sorted: one narrow row for each, kept by
-- the database itself. The truth stays where it was; `account_health` says how an account is doing.
CREATE TABLE account_list (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    -- folded, to sort by
    name text NOT NULL,
    -- folded name, city and CloudLink id, on lines of their own: what a search looks into
    searched text NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL,
    health text NOT NULL,
    cause text,
    -- when something was wrong last and passed; null: nothing was yet
    well_since timestamptz,
    -- the gravest first
    gravity int NOT NULL GENERATED ALWAYS AS (CASE health WHEN 'attention' THEN 0 WHEN 'waiting' THEN 1
        WHEN 'setup' THEN 2 WHEN 'removing' THEN 3 WHEN 'paused' THEN 4 WHEN 'off' THEN 5
        WHEN 'none' THEN 6 ELSE 7 END) STORED
);

CREATE INDEX account_list_name ON account_list (name, account_id);
CREATE INDEX account_list_created_at ON account_list (created_at, account_id);
CREATE INDEX account_list_health ON account_list (health, name, account_id);
CREATE INDEX account_list_gravity ON account_list (gravity, name, account_id);

-- How many accounts there are of each kind: the sum of all rows. Whoever changes a kind adds rows
-- and waits for nobody; now and then they are folded into one for each kind.
CREATE TABLE account_tally (
    health text NOT NULL,
    active boolean NOT NULL,
    n int NOT NULL
);

CREATE FUNCTION tally_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO account_tally VALUES (OLD.health, OLD.active, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO account_tally VALUES (NEW.health, NEW.active, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_came_or_went AFTER INSERT OR DELETE ON account_list
    FOR EACH ROW EXECUTE FUNCTION tally_account();
CREATE TRIGGER tally_changed AFTER UPDATE ON account_list FOR EACH ROW
    WHEN (OLD.health <> NEW.health OR OLD.active <> NEW.active) EXECUTE FUNCTION tally_account();

CREATE FUNCTION fold_account_tally() RETURNS void LANGUAGE sql AS $$
    WITH folded AS (DELETE FROM account_tally RETURNING *)
    INSERT INTO account_tally
    SELECT health, active, sum(n) FROM folded GROUP BY health, active HAVING sum(n) <> 0
$$;

-- At the end of the transaction, so that its lock waits for nothing else. Taken first, so that of
-- two who change one account at the same moment the second sees what the first has done.
CREATE FUNCTION list_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := to_jsonb(OLD) ->> TG_ARGV[0];
    ELSE
        changed := to_jsonb(NEW) ->> TG_ARGV[0];
    END IF;
    PERFORM FROM account_list WHERE account_id = changed FOR UPDATE;
    INSERT INTO account_list AS listed (account_id, name, searched, active, created_at, health, cause)
    SELECT a.id, lower(a.name), lower(a.name || E'\n' || a.city || E'\n' || a.cloudlink_account_id),
        a.deactivated_at IS NULL, a.created_at, h.health, h.cause
    FROM accounts a JOIN account_health h ON h.account_id = a.id WHERE a.id = changed
    ON CONFLICT (account_id) DO UPDATE SET name = EXCLUDED.name, searched = EXCLUDED.searched,
        active = EXCLUDED.active, created_at = EXCLUDED.created_at, health = EXCLUDED.health,
        cause = EXCLUDED.cause,
        well_since = CASE WHEN listed.health IN ('attention', 'waiting')
            AND EXCLUDED.health NOT IN ('attention', 'waiting') THEN now() ELSE listed.well_since END
    WHERE (listed.name, listed.searched, listed.active, listed.created_at, listed.health, listed.cause)
        IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.searched, EXCLUDED.active, EXCLUDED.created_at,
            EXCLUDED.health, EXCLUDED.cause);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR UPDATE ON accounts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('id');
CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR UPDATE OR DELETE ON integrations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('account_id');
CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR DELETE ON connections
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('account_id');
CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR UPDATE OR DELETE ON features
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('account_id');
CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR DELETE ON presence_troubles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('account_id');
CREATE CONSTRAINT TRIGGER list_account AFTER INSERT OR UPDATE OR DELETE ON presence_pauses
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION list_account('account_id');
-- A trouble that merely lasts is written every time it is met again.
CREATE CONSTRAINT TRIGGER list_account_changed AFTER UPDATE ON presence_troubles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.cause <> NEW.cause OR OLD.needs_person <> NEW.needs_person OR OLD.since <> NEW.since)
    EXECUTE FUNCTION list_account('account_id');

INSERT INTO account_list (account_id, name, searched, active, created_at, health, cause)
SELECT a.id, lower(a.name), lower(a.name || E'\n' || a.city || E'\n' || a.cloudlink_account_id),
    a.deactivated_at IS NULL, a.created_at, h.health, h.cause
FROM accounts a JOIN account_health h ON h.account_id = a.id;
SELECT fold_account_tally();

-- Searches of the list that somebody gave a name.
CREATE TABLE saved_filters (
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    -- what stands after the '?' in the list's address
    query text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (staff_id, id)
);

CREATE UNIQUE INDEX saved_filters_name ON saved_filters (staff_id, lower(name));

-- Activity is written once. What is written is sealed within seconds: each entry by a code over
-- itself and the seal before it, under a key that the master key seals. See src/audit/chain.rs.
CREATE TABLE activity_seals (
    seq bigint PRIMARY KEY,
    activity_id bigint NOT NULL CONSTRAINT activity_seals_activity_key UNIQUE,
    seal bytea NOT NULL
);

-- What has yet to be sealed.
CREATE TABLE activity_unsealed (
    activity_id bigint PRIMARY KEY
);

-- Where the chain ends. One row, made with the key by the first to seal.
CREATE TABLE activity_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- sealed for 'activity'
    key bytea NOT NULL,
    seq bigint NOT NULL,
    seal bytea NOT NULL,
    -- over seq and seal: an older end put back would need its own
    mark bytea NOT NULL
);

CREATE FUNCTION await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO activity_unsealed SELECT id FROM written;
    RETURN NULL;
END $$;

CREATE TRIGGER activity_written AFTER INSERT ON activity REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION await_seal();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once: nothing in it is changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER activity_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON activity
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER activity_seals_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON activity_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO activity_unsealed SELECT id FROM activity;

-- Users nobody is matched with, and people we show something for: account by account, for Home.
CREATE TABLE people_counts (
    account_id uuid PRIMARY KEY,
    unmatched int NOT NULL,
    held int NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX people_counts_unmatched ON people_counts (unmatched DESC, account_id) WHERE unmatched > 0;

-- What has changed since: whoever changes something adds a row and waits for nobody, and whoever
-- wants to know adds them up first. No reference to accounts: when one goes, what is taken away for
-- its users comes after it.
CREATE TABLE people_changes (
    account_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    unmatched int NOT NULL,
    held int NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE FUNCTION tally_people() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change CONSTANT int := CASE WHEN TG_ARGV[1] = 'more' THEN 1 ELSE -1 END;
    account CONSTANT uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.account_id ELSE NEW.account_id END;
BEGIN
    IF TG_ARGV[0] = 'held' THEN
        INSERT INTO people_changes (account_id, unmatched, held) VALUES (account, 0, change);
    ELSE
        INSERT INTO people_changes (account_id, unmatched, held) VALUES (account, change, 0);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION is_unmatched(entra_id uuid, trouble text, excluded boolean) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS 'SELECT entra_id IS NULL AND trouble IS NOT NULL AND NOT excluded';

CREATE TRIGGER tally_came AFTER INSERT ON cloudlink_users FOR EACH ROW
    WHEN (is_unmatched(NEW.entra_id, NEW.match_trouble, NEW.excluded))
    EXECUTE FUNCTION tally_people('unmatched', 'more');
CREATE TRIGGER tally_went AFTER DELETE ON cloudlink_users FOR EACH ROW
    WHEN (is_unmatched(OLD.entra_id, OLD.match_trouble, OLD.excluded))
    EXECUTE FUNCTION tally_people('unmatched', 'fewer');
CREATE TRIGGER tally_more AFTER UPDATE ON cloudlink_users FOR EACH ROW
    WHEN (is_unmatched(NEW.entra_id, NEW.match_trouble, NEW.excluded)
        AND NOT is_unmatched(OLD.entra_id, OLD.match_trouble, OLD.excluded))
    EXECUTE FUNCTION tally_people('unmatched', 'more');
CREATE TRIGGER tally_fewer AFTER UPDATE ON cloudlink_users FOR EACH ROW
    WHEN (is_unmatched(OLD.entra_id, OLD.match_trouble, OLD.excluded)
        AND NOT is_unmatched(NEW.entra_id, NEW.match_trouble, NEW.excluded))
    EXECUTE FUNCTION tally_people('unmatched', 'fewer');

CREATE TRIGGER tally_came AFTER INSERT ON presences FOR EACH ROW
    WHEN (NEW.applied IS NOT NULL) EXECUTE FUNCTION tally_people('held', 'more');
CREATE TRIGGER tally_went AFTER DELETE ON presences FOR EACH ROW
    WHEN (OLD.applied IS NOT NULL) EXECUTE FUNCTION tally_people('held', 'fewer');
CREATE TRIGGER tally_more AFTER UPDATE ON presences FOR EACH ROW
    WHEN (OLD.applied IS NULL AND NEW.applied IS NOT NULL) EXECUTE FUNCTION tally_people('held', 'more');
CREATE TRIGGER tally_fewer AFTER UPDATE ON presences FOR EACH ROW
    WHEN (OLD.applied IS NOT NULL AND NEW.applied IS NULL) EXECUTE FUNCTION tally_people('held', 'fewer');

-- One at a time; whoever comes second reads what is there.
CREATE FUNCTION count_people() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people_changes) OR NOT pg_try_advisory_xact_lock(7305) THEN
        RETURN;
    END IF;
    WITH changed AS (DELETE FROM people_changes RETURNING *), summed AS (
        SELECT account_id, sum(unmatched) AS unmatched, sum(held) AS held FROM changed
        GROUP BY account_id HAVING sum(unmatched) <> 0 OR sum(held) <> 0
    )
    INSERT INTO people_counts AS counted SELECT * FROM summed
    ON CONFLICT (account_id) DO UPDATE SET unmatched = counted.unmatched + EXCLUDED.unmatched,
        held = counted.held + EXCLUDED.held;
END $$;

INSERT INTO people_counts
SELECT account_id, sum(unmatched), sum(held) FROM (
    SELECT account_id, count(*) AS unmatched, 0 AS held FROM cloudlink_users
    WHERE entra_id IS NULL AND match_trouble IS NOT NULL AND NOT excluded GROUP BY account_id
    UNION ALL
    SELECT account_id, 0, count(*) FROM presences WHERE applied IS NOT NULL GROUP BY account_id
) AS counted GROUP BY account_id;

-- The oldest of a cause come first.
CREATE INDEX presence_troubles_cause ON presence_troubles (cause, since);
