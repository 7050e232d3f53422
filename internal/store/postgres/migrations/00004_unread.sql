-- What an account has not read is found without the state of an envelope, as in SQLite,
-- where acknowledgements then leave this index alone.

-- +goose Up

DROP INDEX envelopes_unread;
CREATE INDEX envelopes_unread ON envelopes (recipient_id, conversation_id, seq) WHERE read_at IS NULL AND NOT hidden;
