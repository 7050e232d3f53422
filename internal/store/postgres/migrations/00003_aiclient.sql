-- What the aiclient dialect adds: public keys and signatures, a list of agents, how
-- webhooks fared.

-- +goose Up

ALTER TABLE accounts ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
-- The agents that may act, in the order they were made.
CREATE INDEX accounts_agents ON accounts (created_at, id) WHERE kind = 2 AND state < 3 AND NOT disabled;

-- A JSON document, NULL for messages that are not signed. An edit moves it to the
-- revision.
ALTER TABLE messages ADD COLUMN signature TEXT;
ALTER TABLE revisions ADD COLUMN signature TEXT;

-- Who was removed by an admin comes back by invitation only.
ALTER TABLE members ADD COLUMN removed BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE hooks ADD COLUMN updated_at BIGINT;
UPDATE hooks SET updated_at = created_at;
ALTER TABLE hooks ADD COLUMN last_success_at BIGINT;
ALTER TABLE hooks ADD COLUMN last_failure_at BIGINT;
ALTER TABLE hooks ADD COLUMN last_failure TEXT NOT NULL DEFAULT '';
