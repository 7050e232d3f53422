package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"
)

// Errors of an Imager, found with errors.Is; ErrTooLarge is one of them too
// (AC 7.4).
var (
	ErrFormat        = errors.New("not a JPEG, PNG, WebP or GIF")
	ErrDecode        = errors.New("the image cannot be decoded")
	ErrTooManyPixels = errors.New("the image has too many pixels")
	ErrTooSmall      = errors.New("the image is too small")
)

// What an avatar may be made from, and what comes out (AC 7.4).
const (
	AvatarMaxBytes  = 5 << 20    // of the upload
	AvatarMaxPixels = 24_000_000 // width times height
	AvatarMinSide   = 128        // pixels of the shorter side
	AvatarSide      = 512        // pixels of width and of height of the result
)

// maxScans bounds the passes of a progressive JPEG, usually about ten. Each pass
// can take a few bytes in the file and goes over all pixels, so a small file of
// many passes would keep a processor busy for minutes. The two bytes counted can
// also occur by chance in an embedded profile, so the bound is generous.
const maxScans = 200

// format is a kind of image. The decoders are named one by one, instead of
// asking the registry of package image, so that no import elsewhere adds to
// what strangers may send.
type format struct {
	magic  func(data []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// formats are those of AC 7.4. Decoding a GIF stops after its first frame.
func formats() []format {
	begins := func(magic string) func([]byte) bool {
		return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
	}
	riff := func(data []byte) bool {
		return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
	}
	return []format{
		{magic: begins("\xff\xd8\xff"), config: jpeg.DecodeConfig, decode: jpeg.Decode},
		{magic: begins("\x89PNG\r\n\x1a\n"), config: png.DecodeConfig, decode: png.Decode},
		{magic: begins("GIF87a"), config: gif.DecodeConfig, decode: gif.Decode},
		{magic: begins("GIF89a"), config: gif.DecodeConfig, decode: gif.Decode},
		{magic: riff, config: webp.DecodeConfig, decode: webp.Decode},
	}
}

// Imager makes avatars. It is safe for concurrent use.
//
// An image of the most pixels takes up to about 250 MB while it is worked on,
// and 650 MB if it is a progressive JPEG of four colours made for that; hence
// the bound on how many are worked on at once.
type Imager struct{ slots *semaphore.Weighted }

// NewImager makes an Imager that works on so many images at once, at least one;
// further calls wait.
func NewImager(parallel int) *Imager {
	return &Imager{slots: semaphore.NewWeighted(int64(max(1, parallel)))}
}

// Avatar makes an avatar of an image: the square in its middle, scaled to 512 by
// 512 pixels, as PNG, with nothing left of what the file held besides pixels.
// The same image gives the same bytes. Ctx bounds the waiting for other images;
// the work itself takes up to a few seconds.
//
// Errors: ErrTooLarge above AvatarMaxBytes; ErrFormat; ErrTooManyPixels, found
// out before memory is taken for them; ErrTooSmall; ErrDecode, also for a decoder
// that panics; the error of ctx.
func (m *Imager) Avatar(ctx context.Context, data []byte) ([]byte, error) {
	if len(data) > AvatarMaxBytes {
		return nil, fmt.Errorf("%w: %d in an image", ErrTooLarge, len(data))
	}
	for _, f := range formats() {
		if !f.magic(data) {
			continue
		}
		if err := m.slots.Acquire(ctx, 1); err != nil {
			return nil, fmt.Errorf("wait for other images: %w", err)
		}
		defer m.slots.Release(1)
		return f.avatar(data)
	}
	return nil, ErrFormat
}

// avatar turns a panic of a decoder, which reads what a stranger wrote, into the
// error it should have been.
func (f format) avatar(data []byte) (encoded []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			encoded, err = nil, fmt.Errorf("%w: %v", ErrDecode, p)
		}
	}()
	size, err := f.size(data)
	if err != nil {
		return nil, err
	}
	picture, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, square(picture, size)); err != nil {
		return nil, fmt.Errorf("encode an avatar: %w", err)
	}
	return out.Bytes(), nil
}

// size reads the announced size and refuses what would take too much.
func (f format) size(data []byte) (image.Rectangle, error) {
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return image.Rectangle{}, fmt.Errorf("%w: %w", ErrDecode, err)
	}
	width, height := config.Width, config.Height
	switch {
	case int64(width)*int64(height) > AvatarMaxPixels:
		return image.Rectangle{}, fmt.Errorf("%w: %d x %d", ErrTooManyPixels, width, height)
	case min(width, height) < AvatarMinSide:
		return image.Rectangle{}, fmt.Errorf("%w: %d x %d", ErrTooSmall, width, height)
	case bytes.HasPrefix(data, []byte("\xff\xd8")) && bytes.Count(data, []byte("\xff\xda")) > maxScans:
		return image.Rectangle{}, fmt.Errorf("%w: too many passes", ErrDecode)
	}
	return image.Rect(0, 0, width, height), nil
}

// square cuts the middle out of a picture and scales it. The first frame of a
// GIF may cover a part of its canvas only; the rest is transparent.
func square(picture image.Image, canvas image.Rectangle) image.Image {
	side := min(canvas.Dx(), canvas.Dy())
	corner := image.Pt((canvas.Dx()-side)/2, (canvas.Dy()-side)/2)
	middle := image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
	if !middle.In(picture.Bounds()) {
		whole := image.NewRGBA(middle)
		draw.Draw(whole, picture.Bounds(), picture, picture.Bounds().Min, draw.Src)
		picture = whole
	}
	avatar := image.NewRGBA(image.Rect(0, 0, AvatarSide, AvatarSide))
	draw.CatmullRom.Scale(avatar, avatar.Bounds(), picture, middle, draw.Src, nil)
	return avatar
}
