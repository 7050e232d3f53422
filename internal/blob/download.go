package blob

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Download says what a blob is called where it is going.
type Download struct {
	ContentType string // as declared at the upload; empty or malformed becomes application/octet-stream
	Filename    string // as given by a user; made safe here
}

const (
	maxFilename     = 255 // characters (AC 17.1)
	nameless        = "file"
	unknownType     = "application/octet-stream"
	hexDigits       = "0123456789ABCDEF"
	attrPunctuation = "!#$&+-.^_`|~" // what RFC 8187 leaves as it is, with letters and digits
)

// ServeDownload answers a GET or HEAD with the blob of a key (AC 17.3), ranges
// and conditions included. An error is returned before anything is written, so
// that the caller can answer in its own words: ErrKey, ErrNotFound, or another
// where the storage does not work. The caller has checked that the client may
// have it.
//
// The bytes are a stranger's, on the address of the server. So the browser is
// told to save them, not to guess what they are, and, should it show them all
// the same, to run nothing and load nothing.
func (s *Store) ServeDownload(w http.ResponseWriter, r *http.Request, key string, meta Download) error {
	content, info, err := s.Get(r.Context(), key)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	header := w.Header()
	header.Set("Content-Type", contentType(meta.ContentType))
	header.Set("Content-Disposition", disposition(meta.Filename))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(w, r, "", info.Modified, content)
	return nil
}

// contentType writes a declared type anew, so that nothing but a type is in it.
func contentType(declared string) string {
	media, params, err := mime.ParseMediaType(declared)
	if err != nil || !strings.Contains(media, "/") {
		return unknownType
	}
	if formatted := mime.FormatMediaType(media, params); formatted != "" {
		return formatted
	}
	return unknownType
}

// disposition writes the file name twice if need be: in the letters that every
// client understands, and in full (RFC 6266, RFC 8187).
func disposition(filename string) string {
	name := SafeFilename(filename)
	plain := strings.Map(func(r rune) rune {
		// Some clients decode a percent sign where they should not.
		if r > unicode.MaxASCII || r == '%' {
			return '_'
		}
		return r
	}, name)
	value := fmt.Sprintf(`attachment; filename="%s"`, plain)
	if plain != name {
		value += "; filename*=UTF-8''" + extValue(name)
	}
	return value
}

// extValue encodes a text as RFC 8187 wants it.
func extValue(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if letter || strings.IndexByte(attrPunctuation, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
	}
	return b.String()
}

// SafeFilename is a file name of a user made fit to be shown and saved under:
// path separators, quotes, control characters and those that turn the direction
// of the text, which can make program.exe look like a text, become underscores;
// spaces and dots around it go; 255 characters at most, "file" if nothing is
// left.
func SafeFilename(filename string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r == '/', r == '\\', r == '"',
			unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return '_'
		}
		return r
	}, filename)
	if runes := []rune(safe); len(runes) > maxFilename {
		safe = string(runes[:maxFilename])
	}
	if safe = strings.Trim(safe, " ."); safe == "" {
		return nameless
	}
	return safe
}
