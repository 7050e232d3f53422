-- The first schema. Ids are drawn from one rising counter, so a message's id is
-- also its place in the order of all writes. Times are Unix milliseconds; 0 and
-- NULL are never mixed: a time that may be missing is NULL.

-- +goose Up

-- Drawn only under the write lock, so ids rise in commit order.
CREATE SEQUENCE ids AS BIGINT;

-- Values made with the database, such as the key of public ids.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BYTEA NOT NULL
);

CREATE TABLE accounts (
	id               BIGINT PRIMARY KEY,
	kind             SMALLINT NOT NULL,
	made_by          SMALLINT NOT NULL,
	username         TEXT NOT NULL,
	name_key         TEXT COLLATE "C",             -- NULL once freed
	handle           TEXT COLLATE "C" NOT NULL,
	display_name     TEXT NOT NULL,
	description      TEXT NOT NULL,
	login_address    TEXT,
	recovery_address TEXT,
	password_hash    TEXT NOT NULL,
	state            SMALLINT NOT NULL,
	disabled         BOOLEAN NOT NULL,
	pause            SMALLINT NOT NULL,
	guarded          BOOLEAN NOT NULL,
	contacts_only    BOOLEAN NOT NULL,
	status           SMALLINT NOT NULL,
	status_text      TEXT NOT NULL,
	status_chosen    BOOLEAN NOT NULL,
	created_at       BIGINT NOT NULL,
	updated_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_name_key ON accounts (name_key) WHERE name_key IS NOT NULL;
CREATE UNIQUE INDEX accounts_login_address ON accounts (login_address) WHERE login_address IS NOT NULL;
CREATE UNIQUE INDEX accounts_recovery_address ON accounts (recovery_address) WHERE recovery_address IS NOT NULL;
-- Not partial and never freed: a handle is given once.
CREATE UNIQUE INDEX accounts_handle ON accounts (handle);

CREATE TABLE credentials (
	id           BIGINT PRIMARY KEY,
	account_id   BIGINT NOT NULL,
	kind         SMALLINT NOT NULL,
	issuer       SMALLINT NOT NULL,
	name         TEXT NOT NULL,
	prefix       TEXT NOT NULL,
	digest       BYTEA NOT NULL,
	created_at   BIGINT NOT NULL,
	expires_at   BIGINT,
	last_used_at BIGINT
);
CREATE UNIQUE INDEX credentials_digest ON credentials (digest);
CREATE INDEX credentials_account ON credentials (account_id, kind, id);
CREATE INDEX credentials_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE spaces (
	id           BIGINT PRIMARY KEY,
	made_by      SMALLINT NOT NULL,
	name         TEXT NOT NULL,
	description  TEXT NOT NULL,
	owner_id     BIGINT NOT NULL,
	invite_code  TEXT COLLATE "C" NOT NULL,
	member_count BIGINT NOT NULL,
	created_at   BIGINT NOT NULL,
	updated_at   BIGINT NOT NULL,
	deleted_at   BIGINT
);
CREATE UNIQUE INDEX spaces_invite_code ON spaces (invite_code) WHERE deleted_at IS NULL;

-- ord keeps the order of joining, which times alone do not. grants is the union
-- over the archetypes held, kept beside them so that a send reads one row.
CREATE TABLE space_members (
	space_id   BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	ord        BIGINT NOT NULL,
	grants     BIGINT NOT NULL,
	joined_at  BIGINT NOT NULL,
	PRIMARY KEY (space_id, account_id)
);
CREATE INDEX space_members_account ON space_members (account_id, ord);

CREATE TABLE archetypes (
	id         BIGINT PRIMARY KEY,
	space_id   BIGINT NOT NULL,
	name       TEXT NOT NULL,
	grants     BIGINT NOT NULL,
	is_default BOOLEAN NOT NULL,
	is_hidden  BOOLEAN NOT NULL,
	is_locked  BOOLEAN NOT NULL
);
CREATE INDEX archetypes_space ON archetypes (space_id, id);

-- Who holds what beside the default archetype.
CREATE TABLE held_archetypes (
	space_id     BIGINT NOT NULL,
	account_id   BIGINT NOT NULL,
	archetype_id BIGINT NOT NULL,
	PRIMARY KEY (space_id, account_id, archetype_id)
);

CREATE TABLE conversations (
	id          BIGINT PRIMARY KEY,
	kind        SMALLINT NOT NULL,
	last_seq    BIGINT NOT NULL,
	last_at     BIGINT,
	space_id    BIGINT,              -- channels
	overwritten BOOLEAN NOT NULL,     -- channels with entitlement overwrites
	low_id      BIGINT,              -- direct conversations
	high_id     BIGINT,
	initiator   BIGINT,
	opened_at   BIGINT,
	established BOOLEAN NOT NULL,
	created_at  BIGINT NOT NULL,
	deleted_at  BIGINT
) WITH (fillfactor = 50); -- last_seq and last_at move with every message: room for HOT updates
CREATE UNIQUE INDEX conversations_pair ON conversations (low_id, high_id) WHERE kind = 2;
-- Both columns: a look-up of a pair may choose either index and must not read all of one side.
CREATE INDEX conversations_high ON conversations (high_id, low_id) WHERE kind = 2;
CREATE INDEX conversations_cold ON conversations (initiator, opened_at) WHERE kind = 2 AND NOT established;
CREATE INDEX conversations_space ON conversations (space_id) WHERE space_id IS NOT NULL;
CREATE INDEX conversations_deleted ON conversations (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE channels (
	conversation_id BIGINT PRIMARY KEY,
	space_id        BIGINT NOT NULL,
	name            TEXT NOT NULL,
	topic           TEXT NOT NULL,
	type            SMALLINT NOT NULL,
	position        BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL
);
CREATE INDEX channels_space ON channels (space_id, position);

-- holder is an archetype (kind 1) or an account (kind 2).
CREATE TABLE overwrites (
	conversation_id BIGINT NOT NULL,
	holder_kind     SMALLINT NOT NULL,
	holder_id       BIGINT NOT NULL,
	allow           BIGINT NOT NULL,
	deny            BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, holder_kind, holder_id)
);

-- Members of direct conversations and groups.
CREATE TABLE members (
	conversation_id BIGINT NOT NULL,
	account_id      BIGINT NOT NULL,
	ord             BIGINT NOT NULL,
	role            SMALLINT NOT NULL,
	joined_seq      BIGINT NOT NULL,
	joined_at       BIGINT NOT NULL,
	left_at         BIGINT,
	PRIMARY KEY (conversation_id, account_id)
);
CREATE INDEX members_account ON members (account_id, conversation_id);

-- Append-only in id order; the id is the position in the order of all writes.
CREATE TABLE messages (
	id              BIGINT PRIMARY KEY,
	conversation_id BIGINT NOT NULL,
	seq             BIGINT NOT NULL,
	author_id       BIGINT NOT NULL,
	client_id       TEXT COLLATE "C",
	kind            SMALLINT NOT NULL,
	text            TEXT NOT NULL,
	data            TEXT,
	metadata        TEXT,
	created_at      BIGINT NOT NULL,
	edited_at       BIGINT,
	retracted_at    BIGINT
);
CREATE UNIQUE INDEX messages_seq ON messages (conversation_id, seq);
-- The client's id comes first: time-ordered ones then fall at the end.
CREATE UNIQUE INDEX messages_client ON messages (client_id, author_id) WHERE client_id IS NOT NULL;

-- What a message said before an edit.
CREATE TABLE revisions (
	message_id  BIGINT NOT NULL,
	n           BIGINT NOT NULL,
	text        TEXT NOT NULL,
	replaced_at BIGINT NOT NULL,
	PRIMARY KEY (message_id, n)
);

-- One row per recipient and message of direct conversations and groups. State 0
-- that is not hidden is pending: the partial index stays as small as what is not
-- yet drained.
CREATE TABLE envelopes (
	message_id      BIGINT NOT NULL,
	recipient_id    BIGINT NOT NULL,
	conversation_id BIGINT NOT NULL,
	seq             BIGINT NOT NULL,
	state           SMALLINT NOT NULL,
	hidden          BOOLEAN NOT NULL,
	delivered_at    BIGINT,
	read_at         BIGINT,
	PRIMARY KEY (message_id, recipient_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02); -- an acknowledgement leaves a dead row and moves the partial index
CREATE INDEX envelopes_pending ON envelopes (recipient_id, message_id) WHERE state = 0 AND NOT hidden;

CREATE TABLE blocks (
	owner_id   BIGINT NOT NULL,
	target_id  BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, target_id)
);

CREATE TABLE contacts (
	owner_id   BIGINT NOT NULL,
	target_id  BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (owner_id, target_id)
);

-- All durable changes but the creation of messages, which are their own record.
CREATE TABLE events (
	id         BIGINT PRIMARY KEY,
	kind       TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	payload    TEXT NOT NULL
);
CREATE INDEX events_age ON events (created_at);

CREATE TABLE audit (
	id         BIGINT PRIMARY KEY,
	created_at BIGINT NOT NULL,
	actor_id   BIGINT NOT NULL,
	act        TEXT NOT NULL,
	target_id  BIGINT NOT NULL,
	surface    SMALLINT NOT NULL,
	remote     TEXT NOT NULL,
	detail     TEXT NOT NULL
);
CREATE INDEX audit_target ON audit (target_id, id);
