-- What an account has not read is found without the state of an envelope, so that an
-- acknowledgement, which moves the state only, leaves this index alone: it is a page
-- per recipient, and taking each entry out and putting it back was half of the cost.

-- +goose Up

DROP INDEX envelopes_unread;
CREATE INDEX envelopes_unread ON envelopes (recipient_id, conversation_id, seq) WHERE read_at IS NULL AND NOT hidden;
