package blob_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"parley/internal/blob"
)

var (
	red  = color.RGBA{R: 200, G: 10, B: 20, A: 255}
	blue = color.RGBA{R: 10, G: 20, B: 200, A: 255}
)

// flag is a picture with a blue square in the middle and red beside it.
func flag(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	side := min(width, height)
	middle := image.Rect((width-side)/2, (height-side)/2, (width+side)/2, (height+side)/2)
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, red)
			if image.Pt(x, y).In(middle) {
				m.SetRGBA(x, y, blue)
			}
		}
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatalf("encode a PNG: %v", err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatalf("encode a JPEG: %v", err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB, g *gif.GIF) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatalf("encode a GIF: %v", err)
	}
	return b.Bytes()
}

// uniform is a picture of one colour for GIFs.
func uniform(r image.Rectangle, c color.Color) *image.Paletted {
	m := image.NewPaletted(r, color.Palette{c, color.Black})
	return m
}

// webpOf writes a lossless WebP of one colour: with one symbol in each of the
// five codes, a pixel takes no bits at all.
func webpOf(width, height int, c color.RGBA) []byte {
	var bits []byte
	add := func(value, n int) {
		for i := range n {
			bits = append(bits, byte(value>>i&1))
		}
	}
	add(0x2f, 8)
	add(width-1, 14)
	add(height-1, 14)
	add(1, 1) // alpha
	add(0, 3) // version
	add(0, 3) // no transform, no colour cache, no groups of codes
	for _, symbol := range []uint8{c.G, c.R, c.B, c.A, 0} {
		add(0b101, 3) // a simple code, one symbol, of 8 bits
		add(int(symbol), 8)
	}
	var stream []byte
	for chunk := range slices.Chunk(bits, 8) {
		var b byte
		for i, bit := range chunk {
			b |= bit << i
		}
		stream = append(stream, b)
	}
	if len(stream)%2 == 1 {
		stream = append(stream, 0)
	}
	file := append([]byte("WEBPVP8L"), binary.LittleEndian.AppendUint32(nil, uint32(len(stream)))...)
	file = append(file, stream...)
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(file)))...), file...)
}

// hugePNG claims a size and has no pixels.
func hugePNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 8, 6, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	file = append(file, header...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(header))
}

// hugeGIF claims a canvas and has no frame.
func hugeGIF(width, height uint16) []byte {
	file := binary.LittleEndian.AppendUint16([]byte("GIF89a"), width)
	file = binary.LittleEndian.AppendUint16(file, height)
	return append(file, 0, 0, 0, ';')
}

func TestAvatarsAreTheMiddleOfThePicture(t *testing.T) {
	t.Parallel()
	canvas := image.Rect(0, 0, 128, 128)
	animation := gifOf(t, &gif.GIF{
		Image: []*image.Paletted{uniform(canvas, blue), uniform(canvas, red)}, Delay: []int{1, 1},
	})
	for name, data := range map[string][]byte{
		"wide PNG":           pngOf(t, flag(300, 130)),
		"tall PNG":           pngOf(t, flag(128, 999)),
		"JPEG":               jpegOf(t, flag(640, 480)),
		"first frame":        animation,
		"WebP":               webpOf(200, 150, blue),
		"larger than avatar": pngOf(t, flag(1200, 1000)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := blob.NewImager(1).Avatar(t.Context(), data)
			if err != nil {
				t.Fatalf("got %v, want an avatar", err)
			}
			avatar, err := png.Decode(bytes.NewReader(got))
			if err != nil {
				t.Fatalf("read the avatar: %v", err)
			}
			if want := image.Rect(0, 0, blob.AvatarSide, blob.AvatarSide); avatar.Bounds() != want {
				t.Fatalf("got bounds %v, want %v", avatar.Bounds(), want)
			}
			for _, at := range []image.Point{{X: 8, Y: 8}, {X: 256, Y: 256}, {X: 503, Y: 503}} {
				if c := avatar.At(at.X, at.Y); !near(c, blue) {
					t.Errorf("got %v at %v, want the blue of the middle", c, at)
				}
			}
		})
	}
}

// near allows for what JPEG loses.
func near(a, b color.Color) bool {
	r1, g1, b1, a1 := a.RGBA()
	r2, g2, b2, a2 := b.RGBA()
	apart := func(x, y uint32) bool { return max(x, y)-min(x, y) > 10<<8 }
	return !apart(r1, r2) && !apart(g1, g2) && !apart(b1, b2) && !apart(a1, a2)
}

func TestAFrameThatCoversAPartOfItsCanvas(t *testing.T) {
	t.Parallel()
	part := image.Rect(64, 64, 128, 128)
	got, err := blob.NewImager(1).Avatar(t.Context(), gifOf(t, &gif.GIF{
		Image: []*image.Paletted{uniform(part, blue)}, Delay: []int{0},
		Config: image.Config{Width: 128, Height: 128, ColorModel: color.Palette{blue, color.Black}},
	}))
	if err != nil {
		t.Fatalf("got %v, want an avatar", err)
	}
	avatar, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatalf("read the avatar: %v", err)
	}
	if c := avatar.At(400, 400); !near(c, blue) {
		t.Errorf("got %v in the frame, want blue", c)
	}
	if c := avatar.At(100, 100); !near(c, color.Transparent) {
		t.Errorf("got %v beside the frame, want transparent", c)
	}
}

func TestMetadataIsStripped(t *testing.T) {
	t.Parallel()
	plain := jpegOf(t, flag(200, 200))
	secret := "Exif\x00\x00 51.5007N 0.1246W"
	exif := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(secret)+2))
	tagged := slices.Concat(plain[:2], exif, []byte(secret), plain[2:])
	imager := blob.NewImager(1)
	with, err := imager.Avatar(t.Context(), tagged)
	if err != nil {
		t.Fatalf("got %v, want an avatar", err)
	}
	without, err := imager.Avatar(t.Context(), plain)
	if err != nil {
		t.Fatalf("got %v, want an avatar", err)
	}
	if bytes.Contains(with, []byte("51.5007N")) || !bytes.Equal(with, without) {
		t.Error("got an avatar with metadata, want the same as without")
	}
}

func TestWhatMakesNoAvatar(t *testing.T) {
	t.Parallel()
	whole := pngOf(t, flag(200, 200))
	progressive := slices.Concat(jpegOf(t, flag(200, 200)), bytes.Repeat([]byte("\xff\xda\x00\x02"), 1000))
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, blob.ErrFormat},
		{"a text", []byte("hello"), blob.ErrFormat},
		{"an SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), blob.ErrFormat},
		{"a RIFF that is a sound", []byte("RIFF\x00\x00\x00\x00WAVE"), blob.ErrFormat},
		{"a PNG claiming 100000 x 100000", hugePNG(100_000, 100_000), blob.ErrTooManyPixels},
		{"a PNG claiming one pixel too many in a row", hugePNG(24_000_001, 1), blob.ErrTooManyPixels},
		{"a PNG claiming all a PNG can", hugePNG(1<<31-1, 1<<31-1), blob.ErrDecode},
		{"a GIF with a huge canvas", hugeGIF(65535, 65535), blob.ErrTooManyPixels},
		{"a GIF without a frame", hugeGIF(200, 200), blob.ErrDecode},
		{"a WebP with a huge canvas", webpOf(16384, 16384, red), blob.ErrTooManyPixels},
		{"low", pngOf(t, flag(500, 127)), blob.ErrTooSmall},
		{"narrow", webpOf(127, 500, red), blob.ErrTooSmall},
		{"cut off in the header", whole[:20], blob.ErrDecode},
		{"cut off in the pixels", whole[:len(whole)/2], blob.ErrDecode},
		{"a JPEG of a thousand passes", progressive, blob.ErrDecode},
		{"too many bytes", append(whole, make([]byte, blob.AvatarMaxBytes)...), blob.ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := blob.NewImager(1).Avatar(t.Context(), test.data); !errors.Is(err, test.want) {
				t.Errorf("got %d bytes, %v; want %v", len(got), err, test.want)
			}
		})
	}
}

func TestWaitingForOtherImagesEnds(t *testing.T) {
	t.Parallel()
	imager := blob.NewImager(0) // one at a time all the same
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := pngOf(t, flag(200, 200))
	if _, err := imager.Avatar(ctx, data); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := imager.Avatar(t.Context(), data); err != nil {
		t.Errorf("got %v, want an avatar", err)
	}
}

func FuzzAvatar(f *testing.F) {
	canvas := image.Rect(0, 0, 128, 128)
	f.Add([]byte{})
	f.Add(pngOf(f, flag(130, 128)))
	f.Add(jpegOf(f, flag(130, 128)))
	f.Add(gifOf(f, &gif.GIF{Image: []*image.Paletted{uniform(canvas, red)}, Delay: []int{0}}))
	f.Add(webpOf(130, 128, red))
	f.Add(hugePNG(100_000, 100_000))
	f.Add(hugeGIF(65535, 65535))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8X" + strings.Repeat("\x00", 20)))
	imager := blob.NewImager(1)
	known := []error{blob.ErrFormat, blob.ErrDecode, blob.ErrTooManyPixels, blob.ErrTooSmall, blob.ErrTooLarge}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := imager.Avatar(t.Context(), data)
		if err != nil {
			if !slices.ContainsFunc(known, func(want error) bool { return errors.Is(err, want) }) {
				t.Errorf("got the unknown error %v", err)
			}
			return
		}
		config, err := png.DecodeConfig(bytes.NewReader(got))
		if err != nil || config.Width != blob.AvatarSide || config.Height != blob.AvatarSide {
			t.Errorf("got %d x %d, %v; want a PNG of 512 x 512", config.Width, config.Height, err)
		}
	})
}
