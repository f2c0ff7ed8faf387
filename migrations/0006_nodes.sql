-- Several nodes: accounts of one tenant are worked for by one node, so that its budget is whole.
CREATE INDEX connections_tenant ON connections (tenant_id);

ALTER TABLE presence_accounts
    -- The rules of its mapping were changed then: the worker decides anew, and once more when no
    -- event can still be on its way that was decided by the old ones. Null: that is done.
    ADD COLUMN remapped_at timestamptz,
    -- When the subscription was made, or first seen.
    ADD COLUMN subscription_made_at timestamptz;
