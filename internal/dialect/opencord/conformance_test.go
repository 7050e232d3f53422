package opencord_test

import (
	"testing"

	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

// check is one numbered check of the contract (OC 12).
type check struct {
	name string
	run  func(t *testing.T, w *world)
	// alone: the check moves the clock or needs a server of another kind, so it
	// gets a world of its own. The others share one: each brings accounts and
	// addresses of its own.
	alone  bool
	change func(*core.Config, *opencord.Config)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			shared := newWorld(t, e)
			for _, c := range checks() {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					switch {
					case c.change != nil:
						c.run(t, newWorld(t, e, c.change))
					case c.alone:
						c.run(t, newWorld(t, e))
					default:
						c.run(t, shared)
					}
				})
			}
		})
	}
}

func checks() []check {
	untrusting := func(_ *core.Config, oc *opencord.Config) { oc.Clients = nil }
	return []check{
		{name: "A01_register_agent", run: registerAgent},
		{name: "A02_register_human", run: registerHuman},
		{name: "A03_email_taken", run: emailTaken},
		{name: "A04_username_taken", run: usernameTaken},
		{name: "A05_short_password", run: shortPassword},
		{name: "A06_register_bad_bodies", run: registerBadBodies},
		{name: "A07_register_race", run: registerRace},
		{name: "A08_login", run: loginRight},
		{name: "A09_login_wrong", run: loginWrong},
		{name: "A10_authorization_header", run: authorizationHeader},
		{name: "A11_session_expires", run: sessionExpires, alone: true},
		{name: "A12_create_key", run: createKey},
		{name: "A13_use_key", run: useKey},
		{name: "A14_list_keys", run: listKeys},
		{name: "A15_revoke_key", run: revokeKey},
		{name: "A16_revoke_other_key", run: revokeOtherKey},
		{name: "A17_key_cap", run: keyCap},
		{name: "A18_create_server", run: createServer},
		{name: "A19_first_channel", run: firstChannel},
		{name: "A20_server_name", run: serverName},
		{name: "A21_outsider", run: outsider},
		{name: "A22_unknown_server", run: unknownServer},
		{name: "A23_join", run: join},
		{name: "A24_join_again", run: joinAgain},
		{name: "A25_join_refused", run: joinRefused},
		{name: "A26_new_invite", run: newInvite},
		{name: "A27_update_server", run: updateServer},
		{name: "A28_owner_leaves", run: ownerLeaves},
		{name: "A29_leave", run: leave},
		{name: "A30_left_message", run: leftMessage},
		{name: "A31_delete_server", run: deleteServer},
		{name: "A32_create_channel", run: createChannel},
		{name: "A33_last_channel", run: lastChannel},
		{name: "A34_send", run: send},
		{name: "A35_content_length", run: contentLength},
		{name: "A36_content_missing", run: contentMissing},
		{name: "A37_content_exact", run: contentExact},
		{name: "A38_paging", run: paging},
		{name: "A39_default_page", run: defaultPage},
		{name: "A40_limit", run: limits},
		{name: "A41_before", run: before},
		{name: "A42_edit", run: edit},
		{name: "A43_others_messages", run: othersMessages},
		{name: "A44_delete_twice", run: deleteTwice},
		{name: "A45_open_dm", run: openDM},
		{name: "A46_open_dm_refused", run: openDMRefused},
		{name: "A47_open_dm_race", run: openDMRace},
		{name: "A48_dm_outsider", run: dmOutsider},
		{name: "A49_wrong_kind_of_channel", run: wrongKindOfChannel},
		{name: "A50_wrong_kind_of_message", run: wrongKindOfMessage},
		{name: "A51_dm_edit", run: dmEdit},
		{name: "A52_dm_order", run: dmOrder},
		{name: "A53_show_user", run: showUser},
		{name: "A54_display_name", run: displayName},
		{name: "A55_status", run: status},
		{name: "A56_status_limits", run: statusLimits},
		{name: "A57_status_atomic", run: statusAtomic},
		{name: "A58_rate_headers", run: rateHeaders},
		{name: "A59_session_limit", run: sessionLimit},
		{name: "A60_key_beside_session", run: keyBesideSession},
		{name: "A61_key_limit", run: keyLimit},
		{name: "A62_invalid_key", run: invalidKey},
		{name: "A63_window_passes", run: windowPasses, alone: true},
		{name: "A64_login_limit", run: loginLimit},
		{name: "A65_unknown_route", run: unknownRoute},
		{name: "A66_large_body", run: largeBody},
		{name: "A67_removed_account", run: removedAccount},
		{name: "A68_empty_lists", run: emptyLists},
		{name: "A69_spoofed_address", run: spoofedAddress, change: untrusting},
	}
}

const unknownID = "00000000-0000-4000-8000-000000000000"

// The texts of the catalogue that the checks ask for (OC 5), as literals: the
// table of the dialect is what they check.
const (
	badJSON         = "Invalid JSON body"
	noToken         = "Missing authorization token"
	badToken        = "Invalid or expired token"
	badLogin        = "Invalid email or password"
	notMember       = "You are not a member of this server"
	notOwner        = "Only the server owner can do this"
	notAuthor       = "You can only modify your own messages"
	notParticipant  = "You are not part of this conversation"
	badInvite       = "Invalid invite code"
	alreadyMember   = "Already a member of this server"
	nothingSupplied = "No updatable fields supplied"
	emptyContent    = "Message content must not be empty"
	longContent     = "Message content must be at most 4000 characters"
	badLimit        = "limit must be an integer between 1 and 100"
	badBefore       = "before must be an ISO 8601 timestamp"
	tooMany         = "Rate limit exceeded. Please try again later."
	noServer        = "Server not found"
	noChannel       = "Channel not found"
	noMessage       = "Message not found"
	noConversation  = "Conversation not found"
	noUser          = "User not found"
	noKey           = "API key not found"
)
