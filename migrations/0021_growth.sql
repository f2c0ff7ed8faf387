-- Pauses of users that end by themselves: they are forgotten then.
CREATE INDEX presence_pauses_ending ON presence_pauses (account_id, paused_until)
    WHERE zone IS NULL AND user_id <> '';

-- An event that names no state is none that wants a rule.
DELETE FROM unmapped_states WHERE state = '';
