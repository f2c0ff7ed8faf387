-- A search that finds nobody reads an index alone, whatever the order, and among the unmatched too.
DROP INDEX cloudlink_users_email;
CREATE INDEX cloudlink_users_email ON cloudlink_users (account_id, lower(email), user_id)
    INCLUDE (email, searched);
DROP INDEX cloudlink_users_unmatched;
CREATE INDEX cloudlink_users_unmatched ON cloudlink_users (account_id, lower(name), user_id)
    INCLUDE (match_trouble, name, searched) WHERE entra_id IS NULL AND NOT excluded;
