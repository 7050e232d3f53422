-- What the AgentChat dialect adds: contacts' notes, mutes, reports, groups and
-- invites, attachments, webhooks, mailed codes, idempotency keys, owners.

-- +goose Up

ALTER TABLE accounts ADD COLUMN invites_contacts_only BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN enforced BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN proven BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN owner_id BIGINT;
ALTER TABLE accounts ADD COLUMN owned SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN owned_at BIGINT;
ALTER TABLE accounts ADD COLUMN avatar TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN hooks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN muting BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN last_seen_at BIGINT;
CREATE INDEX accounts_owner ON accounts (owner_id, id) WHERE owner_id IS NOT NULL;
CREATE INDEX accounts_system ON accounts (id) WHERE kind = 3;

-- Which accounts an address ever made, under a keyed digest of the address: it
-- outlives the account.
CREATE TABLE address_uses (
	digest     BYTEA NOT NULL,
	account_id BIGINT NOT NULL,
	PRIMARY KEY (digest, account_id)
);

-- Codes that were mailed. account_id is 0 where none is concerned (yet).
CREATE TABLE codes (
	id           BIGINT PRIMARY KEY,
	purpose      SMALLINT NOT NULL,
	address      TEXT NOT NULL,
	account_id   BIGINT NOT NULL,
	handle       TEXT COLLATE "C" NOT NULL,
	display_name TEXT NOT NULL,
	description  TEXT NOT NULL,
	digest       BYTEA NOT NULL,
	attempts     BIGINT NOT NULL,
	created_at   BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL
);
CREATE INDEX codes_address ON codes (address, purpose);
CREATE INDEX codes_handle ON codes (handle) WHERE handle <> '';
CREATE INDEX codes_expiry ON codes (expires_at);

ALTER TABLE contacts ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX contacts_target ON contacts (target_id, owner_id);
CREATE INDEX blocks_target ON blocks (target_id, created_at);

CREATE TABLE mutes (
	owner_id   BIGINT NOT NULL,
	kind       SMALLINT NOT NULL,
	target_id  BIGINT NOT NULL,
	until_at   BIGINT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, kind, target_id)
);
CREATE INDEX mutes_expiry ON mutes (until_at) WHERE until_at IS NOT NULL;

-- evidence is a JSON document: the target's last messages to the reporter, with
-- what they said before edits.
CREATE TABLE reports (
	id          BIGINT PRIMARY KEY,
	reporter_id BIGINT NOT NULL,
	target_id   BIGINT NOT NULL,
	reason      TEXT NOT NULL,
	evidence    TEXT NOT NULL,
	created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX reports_pair ON reports (reporter_id, target_id);
CREATE INDEX reports_target ON reports (target_id, created_at);

CREATE TABLE groups (
	conversation_id BIGINT PRIMARY KEY,
	made_by         SMALLINT NOT NULL,
	name            TEXT NOT NULL,
	description     TEXT NOT NULL,
	avatar          TEXT NOT NULL,
	avatar_url      TEXT NOT NULL,
	created_by      BIGINT NOT NULL,
	by_invitation   BOOLEAN NOT NULL,
	from_start      BOOLEAN NOT NULL,
	created_at      BIGINT NOT NULL,
	deleted_at      BIGINT,
	deleted_by      BIGINT
);

-- hidden_seq is up to where the member put the conversation out of its sight;
-- left_seq, with left_at, up to where a former member could see it.
ALTER TABLE members ADD COLUMN hidden_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN left_seq BIGINT;

CREATE TABLE invites (
	id              BIGINT PRIMARY KEY,
	conversation_id BIGINT NOT NULL,
	inviter_id      BIGINT NOT NULL,
	invitee_id      BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	ended_at        BIGINT
);
CREATE UNIQUE INDEX invites_open ON invites (conversation_id, invitee_id) WHERE ended_at IS NULL;
CREATE INDEX invites_invitee ON invites (invitee_id, id) WHERE ended_at IS NULL;
CREATE INDEX invites_inviter ON invites (inviter_id, created_at);

-- Messages that an account took out of its own sight, its own ones included.
CREATE TABLE hides (
	account_id BIGINT NOT NULL,
	message_id BIGINT NOT NULL,
	PRIMARY KEY (account_id, message_id)
);

-- What an account has not read, by conversation.
CREATE INDEX envelopes_unread ON envelopes (recipient_id, conversation_id, seq) WHERE state < 2 AND NOT hidden;

ALTER TABLE messages ADD COLUMN attachment_id BIGINT;

CREATE TABLE attachments (
	id              BIGINT PRIMARY KEY,
	uploader_id     BIGINT NOT NULL,
	conversation_id BIGINT,
	peer_id         BIGINT,
	filename        TEXT NOT NULL,
	content_type    TEXT NOT NULL,
	size            BIGINT NOT NULL,
	sha256          BYTEA NOT NULL,
	created_at      BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	uploaded_at     BIGINT
);
CREATE INDEX attachments_waiting ON attachments (expires_at) WHERE uploaded_at IS NULL;
CREATE INDEX messages_attachment ON messages (attachment_id) WHERE attachment_id IS NOT NULL;

-- secret is sealed. failures counts those in a row and recent holds when the last
-- ones were: they drive the circuit breaker, which is open until open_until. A
-- worker takes from a hook's queue from ready_at on, NULL while nothing is queued;
-- that is never before held_until, when a worker that has it, or the breaker, lets go.
-- A deleted hook waits for what was queued to be purged.
CREATE TABLE hooks (
	id         BIGINT PRIMARY KEY,
	account_id BIGINT NOT NULL,
	surface    SMALLINT NOT NULL,
	url        TEXT NOT NULL,
	events     BIGINT NOT NULL,
	secret     BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	failures   BIGINT NOT NULL DEFAULT 0,
	recent     TEXT NOT NULL DEFAULT '',
	open_until BIGINT,
	held_until BIGINT,
	ready_at   BIGINT,
	deleted    BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX hooks_account ON hooks (account_id, id);
CREATE INDEX hooks_ready ON hooks (ready_at, id) WHERE ready_at IS NOT NULL;
CREATE INDEX hooks_deleted ON hooks (id) WHERE deleted;

-- One event on its way to one hook. event is a JSON document of what happened,
-- body what is sent: made from it once, before the first attempt. source tells
-- the same event apart from others, so that none is queued twice.
CREATE TABLE deliveries (
	id           BIGINT PRIMARY KEY,
	hook_id      BIGINT NOT NULL,
	account_id   BIGINT NOT NULL,
	source       BIGINT NOT NULL,
	kind         TEXT NOT NULL,
	event        TEXT NOT NULL,
	body         BYTEA,
	attempts     BIGINT NOT NULL,
	next_at      BIGINT NOT NULL,
	created_at   BIGINT NOT NULL,
	last_error   TEXT NOT NULL
);
CREATE UNIQUE INDEX deliveries_source ON deliveries (hook_id, source);
CREATE INDEX deliveries_due ON deliveries (hook_id, next_at, id);
CREATE INDEX deliveries_age ON deliveries (created_at);

CREATE TABLE dead_letters (
	id           BIGINT PRIMARY KEY,
	hook_id      BIGINT NOT NULL,
	account_id   BIGINT NOT NULL,
	source       BIGINT NOT NULL,
	kind         TEXT NOT NULL,
	event        TEXT NOT NULL,
	body         BYTEA,
	attempts     BIGINT NOT NULL,
	created_at   BIGINT NOT NULL,
	last_error   TEXT NOT NULL,
	failed_at    BIGINT NOT NULL
);
CREATE INDEX dead_letters_hook ON dead_letters (hook_id, id);
CREATE INDEX dead_letters_age ON dead_letters (failed_at);

-- What a request with an idempotency key came to.
CREATE TABLE replays (
	account_id  BIGINT NOT NULL,
	key         TEXT COLLATE "C" NOT NULL,
	fingerprint BYTEA NOT NULL,
	result      TEXT NOT NULL,
	created_at  BIGINT NOT NULL,
	PRIMARY KEY (account_id, key)
);
CREATE INDEX replays_age ON replays (created_at);

-- Requests for help that the system agent took down for the operator.
CREATE TABLE escalations (
	id         BIGINT PRIMARY KEY,
	account_id BIGINT NOT NULL,
	category   TEXT NOT NULL,
	text       TEXT NOT NULL,
	status     SMALLINT NOT NULL,
	note       TEXT NOT NULL,
	operator   TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX escalations_status ON escalations (status, id);
