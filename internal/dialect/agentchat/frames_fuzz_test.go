package agentchat

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"
)

// FuzzFrame holds the reading of frames to what encoding/json makes of them, as far
// as that keeps the rules: keys in exact case, valid UTF-8, one object.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","api_key":"ac_live_x","capabilities":["ack"]}`, `{"type":"hello","token":"x","capabilities":"ack"}`,
		`{"type":"ack","message_id":"msg_x"}`, `{"type":"typing.start","payload":{"conversation_id":"conv_x"}}`,
		`{"type":"message.read_ack","payload":{"conversation_id":"grp_x","through_seq":3}}`, `{"type":7,"payload":[]}`,
		`{"type":"ping"`, `[]`, ``, `null`, "{\"type\":\"\xff\"}", `{"type":"a","type":"b"}`, `{"type":"\u0000"}`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(`{"type":"hello"}`), true)
	f.Fuzz(func(t *testing.T, data []byte, binary bool) {
		frame := readFrame(data, binary)
		kind, key, payload, offers := frame.kind(), frame.key(), frame.payload(), frame.offersAck()
		var all map[string]json.RawMessage
		if binary || !utf8.Valid(data) || json.Unmarshal(data, &all) != nil || all == nil {
			if frame.object != nil || kind != "" || key != "" || payload != nil || offers {
				t.Fatalf("%q: got type %q, key %q, payload %v, ack %v, want nothing", data, kind, key, payload, offers)
			}
			return
		}
		text := func(name string) string {
			var s string
			if json.Unmarshal(all[name], &s) != nil || slices.Contains([]byte(s), 0) {
				return ""
			}
			return s
		}
		if want := text("type"); kind != want {
			t.Errorf("%q: got type %q, want %q", data, kind, want)
		}
		if want := text("api_key"); want != "" && key != want {
			t.Errorf("%q: got key %q, want %q", data, key, want)
		}
		var object map[string]json.RawMessage
		if isObject := json.Unmarshal(all["payload"], &object) == nil && object != nil; (payload != nil) != isObject {
			t.Errorf("%q: got payload %v, want an object: %v", data, payload, isObject)
		}
		var list []string
		if offers && (json.Unmarshal(all["capabilities"], &list) != nil || len(list) == 0) {
			t.Errorf("%q: takes it for an offer", data)
		}
	})
}
