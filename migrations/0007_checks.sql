-- The setup check of an integration, and who a CloudLink user without a match might be.

-- One row for each integration that can be checked: when it was, is, and will be.
CREATE TABLE setup_checks (
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    -- the next run: a person asked, or the night has come
    due_at timestamptz NOT NULL,
    asked_at timestamptz,
    -- the Entra user on whom the next run is to try whether presence can be set
    pilot uuid,
    pilot_name text,

    -- The run that is going on. A node that falls silent loses it: what it writes under its run
    -- is refused from then on, and another node begins anew.
    run uuid,
    run_until timestamptz,
    node_id uuid,
    started_at timestamptz,
    finished_at timestamptz,
    -- the connection it was about
    version int,

    -- of the last run that came to its end
    reds int NOT NULL DEFAULT 0,
    ambers int NOT NULL DEFAULT 0,
    -- red lines that a person has to mend, the first of them in words, and since when there is one
    urgent int NOT NULL DEFAULT 0,
    worst text NOT NULL DEFAULT '',
    urgent_since timestamptz,
    -- such as "412 users: 398 matched, 9 without a match, 5 duplicates"
    matching text NOT NULL DEFAULT '',
    -- a directory had shrunk beyond belief: who asks again after this moment says that it is right
    braked_at timestamptz,
    PRIMARY KEY (account_id, integration_id),
    FOREIGN KEY (account_id, integration_id) REFERENCES integrations ON DELETE CASCADE
);

CREATE INDEX setup_checks_due ON setup_checks (due_at);
-- What Home looks for over all accounts.
CREATE INDEX setup_checks_urgent ON setup_checks (urgent_since) WHERE urgent > 0;

CREATE TABLE setup_check_lines (
    account_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    -- a line of the list in the code
    line text NOT NULL,
    state text NOT NULL CHECK (state IN ('green', 'amber', 'red', 'not-looked-at')),
    seen text NOT NULL,
    advice text NOT NULL,
    -- what the support of Microsoft or Mitel asks for
    detail text NOT NULL,
    -- where it is mended: keys of links that the page makes
    mend text[] NOT NULL DEFAULT '{}',
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, integration_id, line),
    FOREIGN KEY (account_id, integration_id) REFERENCES setup_checks ON DELETE CASCADE
);

-- A name without what people write differently: case, accents, commas, the order of its words.
CREATE FUNCTION name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(word, ' ' ORDER BY word COLLATE "C"), '')
    FROM regexp_split_to_table(lower(translate(name,
        'àÀáÁâÂãÃäÄåÅāĀąĄăĂçÇćĆčČďĎđĐèÈéÉêÊëËēĒėĖęĘěĚğĞģĢìÌíÍîÎïÏīĪįĮıķĶĺĹľĽłŁļĻñÑńŃňŇņŅòÒóÓôÔõÕöÖøØőŐōŌŕŔřŘśŚşŞšŠșȘťŤțȚţŢþÞùÙúÚûÛüÜūŪůŮűŰųŲýÝÿŸźŹżŻžŽ.,;:()[]/_-',
        'aaaaaaaaaaaaaaaaaaccccccddddeeeeeeeeeeeeeeeeggggiiiiiiiiiiiiikkllllllllnnnnnnnnoooooooooooooooorrrrssssssssttttttttuuuuuuuuuuuuuuuuyyyyzzzzzz           ')), '\s+') AS word
    WHERE word <> ''
$$;

-- Whom in Entra a CloudLink user without a match is like, worked out after the directories were
-- read: so that a page of them costs the same among fifty as among fifty thousand.
CREATE TABLE match_hints (
    account_id uuid NOT NULL,
    user_id text NOT NULL,
    entra_id uuid NOT NULL,
    -- how near: the lower the nearer
    rank smallint NOT NULL,
    -- principal-name, mail, alias, guest, local-part, name, like-name
    reasons text[] NOT NULL,
    PRIMARY KEY (account_id, user_id, entra_id),
    FOREIGN KEY (account_id, user_id) REFERENCES cloudlink_users ON DELETE CASCADE,
    FOREIGN KEY (account_id, entra_id) REFERENCES entra_users ON DELETE CASCADE
);

CREATE INDEX match_hints_entra ON match_hints (account_id, entra_id);

-- What the hints were worked out from; null: nobody has looked yet.
ALTER TABLE cloudlink_users ADD COLUMN hinted_for text;

CREATE INDEX cloudlink_users_by_hand ON cloudlink_users (account_id, lower(name), user_id)
    WHERE matched_by_hand;

-- A file of matches that somebody has sent and not yet confirmed.
CREATE TABLE match_files (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    id uuid NOT NULL,
    staff_id uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    sent_at timestamptz NOT NULL,
    -- [{"line", "user", "to"}]
    rows jsonb NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE INDEX match_files_sent ON match_files (sent_at);
