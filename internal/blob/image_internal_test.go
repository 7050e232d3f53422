package blob

import (
	"errors"
	"image"
	"io"
	"testing"
)

// No file is known that makes a decoder panic, so one is made up.
func TestADecoderThatPanics(t *testing.T) {
	t.Parallel()
	f := format{
		config: func(io.Reader) (image.Config, error) { return image.Config{Width: 200, Height: 200}, nil },
		decode: func(io.Reader) (image.Image, error) { panic("index out of range") },
	}
	if got, err := f.avatar(nil); got != nil || !errors.Is(err, ErrDecode) {
		t.Errorf("got %d bytes, %v; want %v", len(got), err, ErrDecode)
	}
}
