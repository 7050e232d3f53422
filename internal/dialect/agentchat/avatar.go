package agentchat

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"parley/internal/blob"
	"parley/internal/chat"
	"parley/internal/core"
)

// avatarPath is where pictures are; their keys follow it (AC 7.4).
const avatarPath = "/v1/avatars/"

// Parts of the key of a picture.
const (
	groupAvatars     = "g/" // before the keys of groups
	avatarOwnerHex   = 16
	avatarContentHex = 32
	avatarSuffix     = ".png"
)

func avatarRoutes() []Route {
	return []Route{
		{
			ID: "setAvatar", Method: http.MethodPut, Path: "/v1/agents/{handle}/avatar", Operation: core.OpSetAvatar,
			Auth: AuthKey, Status: http.StatusOK, Response: avatarResponse{}, handle: setAvatar,
		},
		{
			ID: "removeAvatar", Method: http.MethodDelete, Path: "/v1/agents/{handle}/avatar", Operation: core.OpRemoveAvatar,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: removeAvatar,
		},
		{
			ID: "openAvatar", Method: http.MethodGet, Path: avatarPath + "{owner}/{picture}", Operation: core.OpOpenAvatar,
			Auth: AuthNone, Status: http.StatusOK, handle: openAvatar(""),
		},
		{
			ID: "openGroupAvatar", Method: http.MethodGet, Path: avatarPath + groupAvatars + "{owner}/{picture}",
			Operation: core.OpOpenAvatar, Auth: AuthNone, Status: http.StatusOK, handle: openAvatar(groupAvatars),
		},
	}
}

// avatarURL is where a picture is, on a server with a base address; nil is none, or
// that nobody knows the address.
func avatarURL(base, key string) *string {
	if key == "" || base == "" {
		return nil
	}
	url := base + avatarPath + key
	return &url
}

// avatar is where a picture is; nil is none.
func (x *exchange) avatar(key string) *string { return avatarURL(x.base(), key) }

// avatarResponse says where the new picture is.
type avatarResponse struct {
	AvatarKey string  `json:"avatar_key" required:"true"`
	AvatarURL *string `json:"avatar_url" required:"true" format:"uri" description:"Public, and never another picture."`
}

// okResponse confirms.
type okResponse struct {
	OK bool `json:"ok" required:"true"`
}

// picture reads a body of raw bytes, whatever its Content-Type. What is wrong is
// left in x.call.Input for the core.
func (x *exchange) picture() []byte {
	if x.ContentLength > blob.AvatarMaxBytes {
		x.invalid(chat.Fail(chat.CodeBodyTooLarge))
		return nil
	}
	picture, err := io.ReadAll(io.LimitReader(x.Body, blob.AvatarMaxBytes+1))
	switch {
	case err != nil:
		x.invalid(chat.Fail(chat.CodeBodyInvalid))
	case len(picture) > blob.AvatarMaxBytes:
		x.invalid(chat.Fail(chat.CodeBodyTooLarge))
	}
	return picture
}

func setAvatar(x *exchange) (any, error) {
	picture := x.picture()
	key, err := x.api.Core.SetAvatar(x.Context(), x.call, x.handle("handle"), picture)
	if err != nil {
		return nil, err
	}
	return avatarResponse{key, x.avatar(key)}, nil
}

func removeAvatar(x *exchange) (any, error) {
	if err := x.api.Core.RemoveAvatar(x.Context(), x.call, x.handle("handle")); err != nil {
		return nil, err
	}
	return okResponse{true}, nil
}

// openAvatar serves a picture to everybody. A key names one picture for ever, so it
// may be kept for ever; the same folder holds what is not for everybody, so nothing
// but the key of a picture is looked up.
func openAvatar(prefix string) func(*exchange) (any, error) {
	return func(x *exchange) (any, error) {
		owner := x.PathValue("owner")
		content, isPicture := strings.CutSuffix(x.PathValue("picture"), avatarSuffix)
		if !isPicture || !isHex(owner, avatarOwnerHex) || !isHex(content, avatarContentHex) {
			return nil, chat.Fail(chat.CodeAvatarUnknown)
		}
		if x.api.Blobs == nil {
			return nil, chat.Fail(chat.CodeStorageUnreached)
		}
		picture, info, err := x.api.Blobs.Get(x.Context(), prefix+owner+"/"+content+avatarSuffix)
		if errors.Is(err, blob.ErrNotFound) {
			return nil, chat.Fail(chat.CodeAvatarUnknown)
		}
		if err != nil {
			return nil, &chat.Error{Code: chat.CodeStorageUnreached, Cause: err}
		}
		defer func() { _ = picture.Close() }() // it was only read
		h := x.w.Header()
		h.Set("Content-Type", "image/png")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+content+`"`)
		http.ServeContent(x.w, x.Request, "", info.Modified, picture)
		return answered{}, nil
	}
}

// isHex tells whether a text is so many lower-case hexadecimal digits.
func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
