-- Which line of the setup check is the first that a person has to mend, besides its words: these
-- change from night to night, and are the same problem as long as the line is.
ALTER TABLE setup_checks ADD COLUMN worst_line text;

UPDATE setup_checks s SET
    worst_line = coalesce((
        SELECT l.line FROM setup_check_lines l
        WHERE l.account_id = s.account_id AND l.integration_id = s.integration_id AND l.state = 'red'
        ORDER BY array_position(ARRAY['reachable', 'tenant', 'application', 'secret', 'expiry',
            'read-users', 'write-presence', 'excess', 'clock', 'cloudlink', 'users', 'directory',
            'matching', 'subscription', 'pilot'], l.line)
        LIMIT 1), 'reachable'),
    worst = regexp_replace(worst, '^[^:]+: ', '')
WHERE urgent > 0;

-- Whether the sync said, when the check ended, that a person has to mend something: when it says
-- something else by now, the check is due again, and until then says nothing of its own.
ALTER TABLE setup_checks ADD COLUMN troubled boolean NOT NULL DEFAULT false;

UPDATE told t SET reason = 'check ' || s.worst_line
FROM setup_checks s
WHERE t.problem = 'setup-check' AND s.account_id = t.account_id AND s.worst_line IS NOT NULL;
