package agentchat

import (
	"errors"
	"io"
	"net/http"
	"time"

	"parley/internal/blob"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// The listener breaks off whoever takes longer than usual; files get time while they
// move.
const (
	transferStall = 30 * time.Second // without a byte
	transferMost  = 15 * time.Minute
)

func uploadRoutes() []Route {
	return []Route{
		{
			ID: "reserveUpload", Method: http.MethodPost, Path: "/v1/uploads", Operation: core.OpReserveUpload,
			Auth: AuthKey, Status: http.StatusCreated, Request: uploadRequest{}, Response: uploadReply{},
			handle: (*exchange).reserveUpload,
		},
		{
			ID: "fetchAttachment", Method: http.MethodGet, Path: "/v1/attachments/{id}", Operation: core.OpFetchAttachment,
			Auth: AuthKey, Status: http.StatusFound, handle: (*exchange).fetchAttachment,
		},
		{
			ID: "storeUpload", Method: http.MethodPut, Path: "/v1/blobs/att/{id}", Operation: core.OpStoreUpload,
			Auth: AuthSigned, Status: http.StatusOK, Response: uploaded{}, handle: (*exchange).storeUpload,
		},
		{
			ID: "openAttachment", Method: http.MethodGet, Path: "/v1/blobs/att/{id}", Operation: core.OpOpenAttachment,
			Auth: AuthSigned, Status: http.StatusOK, handle: (*exchange).openAttachment,
		},
	}
}

// uploadRequest is the body of POST /v1/uploads (AC 17.1).
type uploadRequest struct {
	To             string `json:"to" description:"Handle of the recipient; or else conversation_id."`
	ConversationID string `json:"conversation_id" description:"A group of yours, or a direct conversation."`
	Filename       string `json:"filename" required:"true" minLength:"1" maxLength:"255"`
	ContentType    string `json:"content_type" required:"true" enum:"image/png,image/jpeg,image/gif,image/webp,application/pdf,application/json,text/plain,text/markdown,text/csv,audio/mpeg,audio/wav,audio/ogg,video/mp4,video/webm"`
	Size           int64  `json:"size" required:"true" minimum:"1" maximum:"26214400" description:"Bytes."`
	SHA256         string `json:"sha256" required:"true" pattern:"^[a-f0-9]{64}$" description:"Of the content."`

	to, conversation chat.Opt[string]
}

func (q *uploadRequest) read(f *wire.Fields) {
	q.to, q.conversation = present(f.Optional("to")), present(f.Optional("conversation_id"))
	q.Filename, q.ContentType = f.Required("filename"), f.Required("content_type")
	size := f.Integer("size")
	if !size.Present {
		f.Fail(chat.FailField(chat.CodeFieldRequired, "size"))
	}
	q.Size, q.SHA256 = size.Value, f.Required("sha256")
}

// present takes null for absent.
func present(o chat.Opt[string]) chat.Opt[string] {
	o.Present = o.Present && !o.Null
	return o
}

// uploadReply says where the content goes.
type uploadReply struct {
	AttachmentID string `json:"attachment_id" required:"true"`
	UploadURL    string `json:"upload_url" required:"true" format:"uri" description:"PUT the bytes here, without Authorization."`
	ExpiresIn    int    `json:"expires_in" required:"true" description:"Seconds for which upload_url may be used."`
}

// uploaded confirms that the content came.
type uploaded struct {
	AttachmentID string `json:"attachment_id" required:"true"`
	Size         int64  `json:"size" required:"true" description:"Bytes."`
}

func (x *exchange) reserveUpload() (any, error) {
	var q uploadRequest
	x.read(&q)
	in := core.NewUpload{Filename: q.Filename, ContentType: q.ContentType, Size: q.Size, SHA256: q.SHA256}
	if in.To = q.to; in.To.Present {
		in.To.Value = normalHandle(in.To.Value)
	}
	if in.Into.Present = q.conversation.Present; in.Into.Present {
		in.Into.Value.Conversation, in.Into.Value.Kind = x.api.openConversation(q.conversation.Value)
	}
	a, err := x.api.Core.ReserveUpload(x.Context(), x.call, in)
	if err != nil {
		return nil, err
	}
	link, err := x.link(blob.OpUpload, a, a.ExpiresAt)
	if err != nil {
		return nil, err
	}
	return uploadReply{x.api.attachmentID(a.ID), link, int(a.ExpiresAt.Sub(a.CreatedAt) / time.Second)}, nil
}

func (x *exchange) storeUpload() (any, error) {
	n, err := x.signed(blob.OpUpload)
	if err != nil {
		return nil, err
	}
	control := http.NewResponseController(x.w)
	last := time.Now().Add(transferMost)
	_ = control.SetWriteDeadline(last.Add(transferStall)) // a server without deadlines needs none
	a, err := x.api.Core.StoreUpload(x.Context(), x.call, n, &patient{x.Body, control, last})
	if err != nil {
		return nil, err
	}
	return uploaded{x.api.attachmentID(a.ID), a.Size}, nil
}

func (x *exchange) fetchAttachment() (any, error) {
	n, _ := x.api.open(prefixAttachment, id.KindAttachment, x.PathValue("id"))
	a, until, err := x.api.Core.FetchAttachment(x.Context(), x.call, chat.AttachmentID(n))
	if err != nil {
		return nil, err
	}
	link, err := x.link(blob.OpDownload, a, until)
	if err != nil {
		return nil, err
	}
	x.w.Header().Set("Location", link)
	x.w.WriteHeader(x.status)
	return answered{}, nil
}

func (x *exchange) openAttachment() (any, error) {
	n, err := x.signed(blob.OpDownload)
	if err != nil {
		return nil, err
	}
	a, err := x.api.Core.OpenAttachment(x.Context(), x.call, n)
	if err != nil {
		return nil, err
	}
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(transferMost)) // as above
	meta := blob.Download{ContentType: a.ContentType, Filename: a.Filename}
	err = x.api.Blobs.ServeDownload(x.w, x.Request, a.Key(), meta)
	switch {
	case err == nil:
		return answered{}, nil
	case errors.Is(err, blob.ErrNotFound):
		return nil, chat.Fail(chat.CodeFileUnknown)
	}
	return nil, &chat.Error{Code: chat.CodeStorageUnreached, Cause: err}
}

// link is the address at which whoever has it may do one thing with a file.
func (x *exchange) link(op blob.Op, a *chat.Attachment, until time.Time) (string, error) {
	if x.api.Blobs == nil {
		return "", chat.Fail(chat.CodeStorageUnreached)
	}
	return x.api.fileLink(x.base(), op, a, until), nil
}

// FileLinks makes addresses at which whoever has one may read a file for
// core.FileLinkLife; base is the address of the server, without a slash at the end. They
// are for dialects that show a file as text, to those who may read its message.
func FileLinks(ids *id.Codec, blobs *blob.Store, now func() time.Time) func(base string, a *chat.Attachment) string {
	maker := &api{Config: Config{IDs: ids, Blobs: blobs}}
	return func(base string, a *chat.Attachment) string {
		return maker.fileLink(base, blob.OpDownload, a, now().Add(core.FileLinkLife))
	}
}

func (a *api) fileLink(base string, op blob.Op, file *chat.Attachment, until time.Time) string {
	return base + "/v1/blobs/att/" + a.attachmentID(file.ID) + "?" + a.Blobs.Sign(op, file.Key(), until)
}

// signed returns the file that the request's link is for, if this server made the
// link for what it is used for, and it is not too old.
func (x *exchange) signed(op blob.Op) (chat.AttachmentID, error) {
	if x.api.Blobs == nil {
		return 0, chat.Fail(chat.CodeStorageUnreached)
	}
	n, _ := x.api.open(prefixAttachment, id.KindAttachment, x.PathValue("id"))
	a := chat.Attachment{ID: chat.AttachmentID(n)}
	err := x.api.Blobs.Verify(op, a.Key(), x.URL.Query(), x.api.Now())
	switch {
	case err == nil:
		return a.ID, nil
	case op == blob.OpUpload && errors.Is(err, blob.ErrExpired):
		return 0, chat.Fail(chat.CodeUploadExpired)
	}
	return 0, chat.Fail(chat.CodeNotPermitted)
}

// patient reads a body as long as bytes keep coming, and up to a last moment. Time
// is that of the connection, not the clock of the rules.
type patient struct {
	io.Reader
	control *http.ResponseController
	last    time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	next := time.Now().Add(transferStall)
	if next.After(p.last) {
		next = p.last
	}
	_ = p.control.SetReadDeadline(next) // as above
	return p.Reader.Read(b)
}
