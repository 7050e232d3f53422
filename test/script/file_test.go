package script_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// picture writes a PNG of one colour.
func picture(ts *testscript.TestScript, _ *world, args []string) {
	usage(ts, len(args) == 3, "png FILE WIDTH HEIGHT")
	blank := image.NewPaletted(image.Rect(0, 0, number(ts, args[1]), number(ts, args[2])), color.Palette{color.White})
	var file bytes.Buffer
	ts.Check((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&file, blank))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o600))
}

// hash sets a variable to the SHA-256 of a file.
func hash(ts *testscript.TestScript, _ *world, args []string) {
	usage(ts, len(args) == 2, "sha256 VARIABLE FILE")
	sum := sha256.Sum256([]byte(ts.ReadFile(args[1])))
	ts.Setenv(args[0], hex.EncodeToString(sum[:]))
}
