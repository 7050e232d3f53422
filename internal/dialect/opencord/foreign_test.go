package opencord_test

import (
	"context"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
	"parley/internal/id"
	"parley/internal/store"
)

// What other dialects put into messages is text here, in what is read and in what an
// edit answers. It stays when the text is edited.
func TestForeignContentIsText(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, func(_ *core.Config, oc *opencord.Config) {
				oc.PublicURL = "https://example.org/chat"
				oc.FileLink = func(base string, a *chat.Attachment) string { return base + "/files" }
			})
			author, reader := w.user(t), w.user(t)
			direct := reader.post("/api/dm", object{"user_id": author.id}).want(201).text("channel.id")
			const file chat.AttachmentID = 1 << 40
			w.Update(t, func(ctx context.Context, tx store.Tx) error {
				return tx.InsertAttachment(ctx, &chat.Attachment{
					ID: file, Uploader: author.account(), Peer: reader.account(), Filename: "plan\nb.pdf",
					ContentType: "application/pdf", Size: 1, CreatedAt: dialecttest.Noon, ExpiresAt: dialecttest.Noon.Add(time.Hour),
				})
			})
			const link = "plan_b.pdf https://example.org/chat/files"
			for _, tc := range []struct {
				in            core.NewMessage
				shown, edited string
			}{
				{core.NewMessage{Text: "plain"}, "plain", "other"},
				{core.NewMessage{Data: []byte(`{"n":1.0}`)}, `{"n":1.0}`, "other\n" + `{"n":1.0}`},
				{core.NewMessage{Attachment: file}, link, "other\n" + link},
				{
					core.NewMessage{Text: "all", Data: []byte(`{}`), Attachment: file},
					"all\n{}\n" + link, "other\n{}\n" + link,
				},
			} {
				tc.in.Kind, tc.in.Peer, tc.in.ClientID = chat.ConversationDirect, reader.account(), tc.shown
				sent, err := w.Core.SendMessage(t.Context(), core.Call{
					Actor: core.Actor{Account: author.account(), Is: chat.KindAgent}, Surface: chat.SurfaceAgentChat,
				}, tc.in)
				if err != nil {
					t.Fatalf("send %q: %v", tc.shown, err)
				}
				reader.get(inDirect(direct)).want(200).is("messages.0.content", tc.shown)
				message := "/api/dm/messages/" + w.IDs.Seal(id.KindMessage, int64(sent.ID)).String()
				author.patch(message, object{"content": "other"}).want(200).is("message.content", tc.edited)
			}
		})
	}
}
