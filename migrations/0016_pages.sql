-- What the pages need to be quick over a million users and years of Activity.

-- What a search of Activity looks into: the words of an entry, to be found by their beginnings.
ALTER TABLE activity ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple',
    regexp_replace(lower(summary || ' ' || actor || ' ' || coalesce(account_name, '')), '[^[:alnum:]]+', ' ', 'g'))) STORED;

-- Written at once: an entry is there when the page that made it is.
CREATE INDEX activity_words ON activity USING gin (words) WITH (fastupdate = off);

-- What a search for somebody in Entra looks into, in the order in which they are shown.
ALTER TABLE entra_users ADD COLUMN searched text NOT NULL GENERATED ALWAYS AS (
    lower(display_name) || E'\n' || lower(user_principal_name) || E'\n'
    || CASE WHEN lower(mail) <> lower(user_principal_name) THEN lower(mail) ELSE '' END) STORED;

CREATE INDEX entra_users_name ON entra_users (account_id, lower(display_name), entra_id)
    INCLUDE (display_name, searched, enabled) WHERE NOT gone;

-- Home adds up over all accounts, and takes away those where nothing syncs.
CREATE INDEX account_list_idle ON account_list (account_id)
    WHERE NOT (active AND health IN ('syncing', 'waiting', 'attention', 'paused'));

-- How many users an account has, kept like the other counts.
ALTER TABLE people_counts ADD COLUMN users int NOT NULL DEFAULT 0;
ALTER TABLE people_changes ADD COLUMN users int NOT NULL DEFAULT 0;

-- Once for a statement: a directory arrives by the thousand.
CREATE FUNCTION tally_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_changes (account_id, unmatched, held, users)
    SELECT account_id, 0, 0, CASE WHEN TG_OP = 'DELETE' THEN -count(*) ELSE count(*) END
    FROM touched GROUP BY account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_users_came AFTER INSERT ON cloudlink_users REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION tally_users();
CREATE TRIGGER tally_users_went AFTER DELETE ON cloudlink_users REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION tally_users();

CREATE OR REPLACE FUNCTION count_people() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people_changes) OR NOT pg_try_advisory_xact_lock(7305) THEN
        RETURN;
    END IF;
    WITH changed AS (DELETE FROM people_changes RETURNING *), summed AS (
        SELECT account_id, sum(unmatched) AS unmatched, sum(held) AS held, sum(users) AS users
        FROM changed GROUP BY account_id
        HAVING sum(unmatched) <> 0 OR sum(held) <> 0 OR sum(users) <> 0
    )
    INSERT INTO people_counts AS counted (account_id, unmatched, held, users)
    SELECT account_id, unmatched, held, users FROM summed
    ON CONFLICT (account_id) DO UPDATE SET unmatched = counted.unmatched + EXCLUDED.unmatched,
        held = counted.held + EXCLUDED.held, users = counted.users + EXCLUDED.users;
END $$;

INSERT INTO people_counts AS counted (account_id, unmatched, held, users)
SELECT account_id, 0, 0, count(*) FROM cloudlink_users GROUP BY account_id
ON CONFLICT (account_id) DO UPDATE SET users = EXCLUDED.users;
