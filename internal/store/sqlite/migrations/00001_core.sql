-- The first schema. Ids are drawn from one rising counter, so a message's id is
-- also its place in the order of all writes. Times are Unix milliseconds; 0 and
-- NULL are never mixed: a time that may be missing is NULL.

-- +goose Up

-- counters.ids is the last id drawn.
CREATE TABLE counters (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('ids', 0);

-- Values made with the database, such as the key of public ids.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
	id               INTEGER PRIMARY KEY,
	kind             INTEGER NOT NULL,
	made_by          INTEGER NOT NULL,
	username         TEXT NOT NULL,
	name_key         TEXT,             -- NULL once freed
	handle           TEXT NOT NULL,
	display_name     TEXT NOT NULL,
	description      TEXT NOT NULL,
	login_address    TEXT,
	recovery_address TEXT,
	password_hash    TEXT NOT NULL,
	state            INTEGER NOT NULL,
	disabled         INTEGER NOT NULL,
	pause            INTEGER NOT NULL,
	guarded          INTEGER NOT NULL,
	contacts_only    INTEGER NOT NULL,
	status           INTEGER NOT NULL,
	status_text      TEXT NOT NULL,
	status_chosen    INTEGER NOT NULL,
	created_at       INTEGER NOT NULL,
	updated_at       INTEGER NOT NULL
);
CREATE UNIQUE INDEX accounts_name_key ON accounts (name_key) WHERE name_key IS NOT NULL;
CREATE UNIQUE INDEX accounts_login_address ON accounts (login_address) WHERE login_address IS NOT NULL;
CREATE UNIQUE INDEX accounts_recovery_address ON accounts (recovery_address) WHERE recovery_address IS NOT NULL;
-- Not partial and never freed: a handle is given once.
CREATE UNIQUE INDEX accounts_handle ON accounts (handle);

CREATE TABLE credentials (
	id           INTEGER PRIMARY KEY,
	account_id   INTEGER NOT NULL,
	kind         INTEGER NOT NULL,
	issuer       INTEGER NOT NULL,
	name         TEXT NOT NULL,
	prefix       TEXT NOT NULL,
	digest       BLOB NOT NULL,
	created_at   INTEGER NOT NULL,
	expires_at   INTEGER,
	last_used_at INTEGER
);
CREATE UNIQUE INDEX credentials_digest ON credentials (digest);
CREATE INDEX credentials_account ON credentials (account_id, kind, id);
CREATE INDEX credentials_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE spaces (
	id           INTEGER PRIMARY KEY,
	made_by      INTEGER NOT NULL,
	name         TEXT NOT NULL,
	description  TEXT NOT NULL,
	owner_id     INTEGER NOT NULL,
	invite_code  TEXT NOT NULL,
	member_count INTEGER NOT NULL,
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,
	deleted_at   INTEGER
);
CREATE UNIQUE INDEX spaces_invite_code ON spaces (invite_code) WHERE deleted_at IS NULL;

-- ord keeps the order of joining, which times alone do not. grants is the union
-- over the archetypes held, kept beside them so that a send reads one row.
CREATE TABLE space_members (
	space_id   INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	ord        INTEGER NOT NULL,
	grants     INTEGER NOT NULL,
	joined_at  INTEGER NOT NULL,
	PRIMARY KEY (space_id, account_id)
) WITHOUT ROWID;
CREATE INDEX space_members_account ON space_members (account_id, ord);

CREATE TABLE archetypes (
	id         INTEGER PRIMARY KEY,
	space_id   INTEGER NOT NULL,
	name       TEXT NOT NULL,
	grants     INTEGER NOT NULL,
	is_default INTEGER NOT NULL,
	is_hidden  INTEGER NOT NULL,
	is_locked  INTEGER NOT NULL
);
CREATE INDEX archetypes_space ON archetypes (space_id, id);

-- Who holds what beside the default archetype.
CREATE TABLE held_archetypes (
	space_id     INTEGER NOT NULL,
	account_id   INTEGER NOT NULL,
	archetype_id INTEGER NOT NULL,
	PRIMARY KEY (space_id, account_id, archetype_id)
) WITHOUT ROWID;

CREATE TABLE conversations (
	id          INTEGER PRIMARY KEY,
	kind        INTEGER NOT NULL,
	last_seq    INTEGER NOT NULL,
	last_at     INTEGER,
	space_id    INTEGER,              -- channels
	overwritten INTEGER NOT NULL,     -- channels with entitlement overwrites
	low_id      INTEGER,              -- direct conversations
	high_id     INTEGER,
	initiator   INTEGER,
	opened_at   INTEGER,
	established INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	deleted_at  INTEGER
);
CREATE UNIQUE INDEX conversations_pair ON conversations (low_id, high_id) WHERE kind = 2;
-- Both columns: a look-up of a pair may choose either index and must not read all of one side.
CREATE INDEX conversations_high ON conversations (high_id, low_id) WHERE kind = 2;
CREATE INDEX conversations_cold ON conversations (initiator, opened_at) WHERE kind = 2 AND NOT established;
CREATE INDEX conversations_space ON conversations (space_id) WHERE space_id IS NOT NULL;
CREATE INDEX conversations_deleted ON conversations (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE channels (
	conversation_id INTEGER PRIMARY KEY,
	space_id        INTEGER NOT NULL,
	name            TEXT NOT NULL,
	topic           TEXT NOT NULL,
	type            INTEGER NOT NULL,
	position        INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL
);
CREATE INDEX channels_space ON channels (space_id, position);

-- holder is an archetype (kind 1) or an account (kind 2).
CREATE TABLE overwrites (
	conversation_id INTEGER NOT NULL,
	holder_kind     INTEGER NOT NULL,
	holder_id       INTEGER NOT NULL,
	allow           INTEGER NOT NULL,
	deny            INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, holder_kind, holder_id)
) WITHOUT ROWID;

-- Members of direct conversations and groups.
CREATE TABLE members (
	conversation_id INTEGER NOT NULL,
	account_id      INTEGER NOT NULL,
	ord             INTEGER NOT NULL,
	role            INTEGER NOT NULL,
	joined_seq      INTEGER NOT NULL,
	joined_at       INTEGER NOT NULL,
	left_at         INTEGER,
	PRIMARY KEY (conversation_id, account_id)
) WITHOUT ROWID;
CREATE INDEX members_account ON members (account_id, conversation_id);

-- Append-only in id order; the id is the position in the order of all writes.
CREATE TABLE messages (
	id              INTEGER PRIMARY KEY,
	conversation_id INTEGER NOT NULL,
	seq             INTEGER NOT NULL,
	author_id       INTEGER NOT NULL,
	client_id       TEXT,
	kind            INTEGER NOT NULL,
	text            TEXT NOT NULL,
	data            TEXT,
	metadata        TEXT,
	created_at      INTEGER NOT NULL,
	edited_at       INTEGER,
	retracted_at    INTEGER
);
CREATE UNIQUE INDEX messages_seq ON messages (conversation_id, seq);
-- The client's id comes first: time-ordered ones then fall at the end.
CREATE UNIQUE INDEX messages_client ON messages (client_id, author_id) WHERE client_id IS NOT NULL;

-- What a message said before an edit.
CREATE TABLE revisions (
	message_id  INTEGER NOT NULL,
	n           INTEGER NOT NULL,
	text        TEXT NOT NULL,
	replaced_at INTEGER NOT NULL,
	PRIMARY KEY (message_id, n)
) WITHOUT ROWID;

-- One row per recipient and message of direct conversations and groups. State 0
-- that is not hidden is pending: the partial index stays as small as what is not
-- yet drained.
CREATE TABLE envelopes (
	message_id      INTEGER NOT NULL,
	recipient_id    INTEGER NOT NULL,
	conversation_id INTEGER NOT NULL,
	seq             INTEGER NOT NULL,
	state           INTEGER NOT NULL,
	hidden          INTEGER NOT NULL,
	delivered_at    INTEGER,
	read_at         INTEGER,
	PRIMARY KEY (message_id, recipient_id)
) WITHOUT ROWID;
CREATE INDEX envelopes_pending ON envelopes (recipient_id, message_id) WHERE state = 0 AND NOT hidden;

CREATE TABLE blocks (
	owner_id   INTEGER NOT NULL,
	target_id  INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (owner_id, target_id)
) WITHOUT ROWID;

CREATE TABLE contacts (
	owner_id   INTEGER NOT NULL,
	target_id  INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (owner_id, target_id)
) WITHOUT ROWID;

-- All durable changes but the creation of messages, which are their own record.
CREATE TABLE events (
	id         INTEGER PRIMARY KEY,
	kind       TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	payload    TEXT NOT NULL
);
CREATE INDEX events_age ON events (created_at);

CREATE TABLE audit (
	id         INTEGER PRIMARY KEY,
	created_at INTEGER NOT NULL,
	actor_id   INTEGER NOT NULL,
	act        TEXT NOT NULL,
	target_id  INTEGER NOT NULL,
	surface    INTEGER NOT NULL,
	remote     TEXT NOT NULL,
	detail     TEXT NOT NULL
);
CREATE INDEX audit_target ON audit (target_id, id);
