-- Who is a guest, as the directory says it (userType); null: it has not said so yet, and the form of
-- the principal name has to do.
ALTER TABLE entra_users ADD COLUMN guest boolean;

-- What was asked for is part of the place where a reading goes on: a new question begins anew.
UPDATE presence_accounts SET delta_link = NULL WHERE delta_link IS NOT NULL;

-- Home asks who is on an older release.
CREATE INDEX integrations_release ON integrations (release) WHERE removing_since IS NULL;

-- Runs that ended are forgotten in the end.
CREATE INDEX runs_ended ON runs (ended_at) WHERE state IN ('done', 'cancelled');

-- By what an Entra user is found for somebody without a match: their addresses, what stands before
-- the @ with and without dots, and their name, each with the account hashed to a number. Worked out
-- by whoever looks for candidates, and only where somebody is without a match; null: not yet, or
-- what it was made of has changed.
CREATE FUNCTION hint_key(account uuid, kind text, value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT hashtextextended(account::text || kind || value, 0)
$$;

CREATE FUNCTION hint_keys(account uuid, principal text, mail text, others text[], name text)
RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT key) FROM (
        SELECT CASE kind
            WHEN 'a' THEN hint_key(account, kind, address)
            WHEN 'l' THEN hint_key(account, kind, split_part(address, '@', 1))
            ELSE hint_key(account, kind, translate(split_part(address, '@', 1), '.-_', '')) END AS key
        FROM unnest(ARRAY[lower(principal), lower(mail)] || others) AS address
        CROSS JOIN unnest(ARRAY['a', 'l', 's']) AS kind
        WHERE address <> ''
        UNION ALL SELECT hint_key(account, 'n', name_key(name))
    ) AS keys
$$;

ALTER TABLE entra_users ADD COLUMN hint_keys bigint[];
-- Without a list of what is to be put in later: that would be looked through at every question.
CREATE INDEX entra_users_hint_keys ON entra_users USING gin (hint_keys) WITH (fastupdate = off)
    WHERE hint_keys IS NOT NULL;
CREATE INDEX entra_users_unkeyed ON entra_users (account_id) WHERE hint_keys IS NULL;
