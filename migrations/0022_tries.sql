-- How often an item was claimed since it came a step further: whoever claims it in vain again and
-- again gives it up.
ALTER TABLE run_items ADD COLUMN tries smallint NOT NULL DEFAULT 0;
