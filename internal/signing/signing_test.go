package signing_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/signing"
)

// The vectors of AI 7.5.
const (
	vectorKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+hPjtvpvwUl9wjFpsZMSCSCmxONK
9Zp/kIuAKp6D9DKazBIpbUMFuZIRjvst4c19ScKTtF7DQXRZdGZbYiCWwQ==
-----END PUBLIC KEY-----`
	vectorContent   = "你好,Agent 🤖"
	vectorSender    = "11111111-1111-4111-8111-111111111111"
	vectorRecipient = "22222222-2222-4222-8222-222222222222"

	vector1 = "304402207a9673f21ede39ca4f7d46a765eede5e94bab8cc09783509d7ab3f0bf7dac55802207f62a0933a322d4fbf7af15e67fece100628d2c931f288749804a314555b9cb1"
	vector2 = "304402202e2cfe61e17e353d5497fffb5a4404394d787efcbd1703765e3a010bcc15b05902204e3242e65d2bba566395d7d7fcb4c961b93029c1d75fe8372684d06c45956adc"
	vector3 = "304502207a9673f21ede39ca4f7d46a765eede5e94bab8cc09783509d7ab3f0bf7dac558022100809d5f6bc5cdd2b140850ea1980131efb6be27e4752516105bb527aea70788a0"
	vector6 = "7a9673f21ede39ca4f7d46a765eede5e94bab8cc09783509d7ab3f0bf7dac5587f62a0933a322d4fbf7af15e67fece100628d2c931f288749804a314555b9cb1"
)

func TestB27Vectors(t *testing.T) {
	t.Parallel()
	bound := signing.Bound(signing.Direct, vectorSender, vectorRecipient, vectorContent)
	if len(vectorContent) != 17 || len(bound) != 114 {
		t.Errorf("bytes: got %d of the content and %d bound, want 17 and 114", len(vectorContent), len(bound))
	}
	for text, want := range map[string]string{
		vectorContent: "5387802adce114c5aa1aae4b4098e653154699b10d818f5f888e5b91b9b35276",
		bound:         "c8ba12bea2ee70bc8168a4d288fde6e882fa5ae0479007eb18d6034baeccae6d",
	} {
		if got := sha256.Sum256([]byte(text)); hex.EncodeToString(got[:]) != want {
			t.Errorf("SHA-256 of %q: got %x, want %s", text, got, want)
		}
	}
	key, canonical, err := signing.ParsePublicKey(vectorKey)
	if err != nil || canonical != vectorKey {
		t.Fatalf("public key: got %q, %v", canonical, err)
	}
	swapped := signing.Bound(signing.Direct, vectorRecipient, vectorSender, vectorContent)
	for _, v := range []struct {
		name, signature, bound string
		format                 error
		want                   chat.SignatureScheme
	}{
		{"V1", vector1, bound, nil, chat.SignatureContent},
		{"V2", vector2, bound, nil, chat.SignatureBound},
		{"V3", vector3, bound, nil, chat.SignatureContent},
		{"V4", strings.TrimSuffix(vector1, "b1") + "b0", bound, nil, chat.SignatureUnchecked},
		{"V5", vector1 + "00", bound, signing.ErrFormat, 0},
		{"V6", vector6, bound, signing.ErrFormat, 0},
		{"V7", vector2, swapped, nil, chat.SignatureUnchecked},
	} {
		der, err := signing.ParseSignature(v.signature)
		if !errors.Is(err, v.format) {
			t.Errorf("%s: got error %v, want %v", v.name, err, v.format)
			continue
		}
		if v.format != nil {
			continue
		}
		if got := signing.Verify(key, der, v.bound, vectorContent); got != v.want {
			t.Errorf("%s: got %q, want %q", v.name, got, v.want)
		}
	}
}

// Every part of what is bound counts, and where one part ends: none can be moved
// into another.
func TestBoundTiesTheSignature(t *testing.T) {
	t.Parallel()
	key, err := signing.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signing.Sign(key, signing.Bound(signing.Group, "a", "b", "text\nmore"))
	if err != nil {
		t.Fatal(err)
	}
	der, err := signing.ParseSignature(signature)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		kind, sender, target, content string
		want                          chat.SignatureScheme
	}{
		{signing.Group, "a", "b", "text\nmore", chat.SignatureBound},
		{signing.Direct, "a", "b", "text\nmore", 0},
		{signing.Group, "b", "a", "text\nmore", 0},
		{signing.Group, "a", "c", "text\nmore", 0},
		{signing.Group, "a", "b", "text\nmore\n", 0},
		{signing.Group, "a", "b", "text more", 0},
		{signing.Group, "a", "b", " text\nmore", 0},
	} {
		bound := signing.Bound(part.kind, part.sender, part.target, part.content)
		if got := signing.Verify(&key.PublicKey, der, bound, part.content); got != part.want {
			t.Errorf("%+v: got %q, want %q", part, got, part.want)
		}
	}
	other, err := signing.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	bound := signing.Bound(signing.Group, "a", "b", "text\nmore")
	if got := signing.Verify(&other.PublicKey, der, bound, "text\nmore"); got != chat.SignatureUnchecked {
		t.Errorf("under another key: got %q, want none", got)
	}
	// Whoever signs these bytes as the content alone has signed them bound, too.
	if got := signing.Verify(&key.PublicKey, der, "something else", bound); got != chat.SignatureContent {
		t.Errorf("as the content: got %q, want %q", got, chat.SignatureContent)
	}
}

// block makes a PEM block.
func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// pkixBlock makes the block of a public key of any kind.
func pkixBlock(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PUBLIC KEY", der)
}

// pointBlock makes the block of a P-256 key whose point is as given.
func pointBlock(t testing.TB, point []byte) string {
	t.Helper()
	curve, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}{
		pkix.AlgorithmIdentifier{
			Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, Parameters: asn1.RawValue{FullBytes: curve},
		},
		asn1.BitString{Bytes: point, BitLength: 8 * len(point)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return block("PUBLIC KEY", der)
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	body := strings.TrimSuffix(strings.TrimPrefix(vectorKey, "-----BEGIN PUBLIC KEY-----\n"), "\n-----END PUBLIC KEY-----")
	for name, text := range map[string]string{
		"as it is":                vectorKey,
		"newline at the end":      vectorKey + "\n",
		"CRLF":                    strings.ReplaceAll(vectorKey, "\n", "\r\n") + "\r\n",
		"white space around":      "\n \t\r\n" + vectorKey + " \n\n",
		"blanks before the block": "   " + vectorKey,
		"one long line":           "-----BEGIN PUBLIC KEY-----\n" + strings.ReplaceAll(body, "\n", "") + "\n-----END PUBLIC KEY-----",
		"1,000 bytes":             vectorKey + strings.Repeat("\n", 1000-len(vectorKey)),
	} {
		key, canonical, err := signing.ParsePublicKey(text)
		if err != nil || canonical != vectorKey {
			t.Errorf("%s: got %q, %v, want the key in its one form", name, canonical, err)
			continue
		}
		if again, err := signing.EncodePublicKey(key); err != nil || again != vectorKey {
			t.Errorf("%s, encoded: got %q, %v", name, again, err)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signing.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := signing.EncodePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	classic, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	good := pkixBlock(t, &key.PublicKey)
	if again := pointBlock(t, point); again != good {
		t.Fatalf("a block by hand: got %s, want %s", again, good)
	}
	off := bytes.Clone(point)
	off[64] ^= 1
	for name, text := range map[string]string{
		"nothing":                   "",
		"white space":               " \n",
		"junk":                      "hello",
		"base64 alone":              base64.StdEncoding.EncodeToString(der),
		"DER":                       string(der),
		"P-384":                     pkixBlock(t, &p384.PublicKey),
		"P-224":                     pkixBlock(t, &p224.PublicKey),
		"RSA":                       pkixBlock(t, &rsaKey.PublicKey),
		"Ed25519":                   pkixBlock(t, edwards),
		"compressed point":          pointBlock(t, append([]byte{2 + point[64]&1}, point[1:33]...)),
		"point not on the curve":    pointBlock(t, off),
		"point at infinity":         pointBlock(t, []byte{0}),
		"short point":               pointBlock(t, point[:64]),
		"trailing data in the DER":  block("PUBLIC KEY", append(bytes.Clone(der), 0)),
		"half of the DER":           block("PUBLIC KEY", der[:len(der)/2]),
		"empty block":               "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"private key":               string(private),
		"private key, SEC 1":        block("EC PRIVATE KEY", classic),
		"private key, relabelled":   block("PUBLIC KEY", classic),
		"certificate":               block("CERTIFICATE", der),
		"public key, SEC 1 label":   block("EC PUBLIC KEY", der),
		"lower case label":          strings.ReplaceAll(good, "PUBLIC KEY", "public key"),
		"two blocks":                good + good,
		"two blocks, blanks first":  " " + good + good,
		"private key after it":      good + string(private),
		"private key before it":     string(private) + good,
		"broken block before it":    "-----BEGIN PUBLIC KEY-----\njunk\n" + good,
		"private label before it":   "-----BEGIN PUBLIC KEY-----\n-----BEGIN PRIVATE KEY-----\n" + good,
		"text before it":            "key:\n" + good,
		"text after it":             good + "that was it",
		"text on the first line":    strings.Replace(good, "KEY-----\n", "KEY----- x\n", 1),
		"text on the last line":     strings.TrimSpace(good) + "x",
		"a NUL after it":            good + "\x00",
		"a byte order mark":         "\ufeff" + good,
		"headers":                   strings.Replace(good, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
		"no end":                    strings.TrimSuffix(good, "-----END PUBLIC KEY-----\n"),
		"another end":               strings.Replace(good, "END PUBLIC", "END PRIVATE", 1),
		"a letter that is no digit": strings.Replace(good, "\nM", "\n!", 1),
		"1,001 bytes":               good + strings.Repeat("\n", 1001-len(good)),
		"huge":                      strings.Repeat(good, 1000),
	} {
		if key, canonical, err := signing.ParsePublicKey(text); !errors.Is(err, signing.ErrKey) || key != nil || canonical != "" {
			t.Errorf("%s: got %q, error %v, want %v", name, canonical, err, signing.ErrKey)
		}
	}
}

// sequence makes the digits of a DER sequence of integers.
func sequence(t *testing.T, numbers ...*big.Int) string {
	t.Helper()
	der, err := asn1.Marshal(numbers)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(der)
}

func TestParseSignature(t *testing.T) {
	t.Parallel()
	order := elliptic.P256().Params().N
	for name, digits := range map[string]string{
		"as it is":        vector1,
		"upper case":      strings.ToUpper(vector1),
		"both cases":      strings.ToUpper(vector1[:70]) + vector1[70:],
		"the twin":        vector3,
		"the shortest":    sequence(t, big.NewInt(1), big.NewInt(127)),
		"the longest":     sequence(t, new(big.Int).Lsh(big.NewInt(1), 8*33-2), new(big.Int).Lsh(big.NewInt(1), 8*33-2)),
		"above the order": sequence(t, order, big.NewInt(1)),
	} {
		der, err := signing.ParseSignature(digits)
		if err != nil || hex.EncodeToString(der) != strings.ToLower(digits) {
			t.Errorf("%s: got %x, %v, want the bytes of %s", name, der, err, digits)
		}
	}
}

func TestParseSignatureRefuses(t *testing.T) {
	t.Parallel()
	one, long := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 8*34-2)
	raw, err := hex.DecodeString(vector1)
	if err != nil {
		t.Fatal(err)
	}
	for name, digits := range map[string]string{
		"nothing":                         "",
		"no digits":                       "zz",
		"no digits, long":                 strings.Repeat("zz", 35),
		"odd":                             vector1[:len(vector1)-1],
		"odd, one more":                   vector1 + "0",
		"14 digits":                       "30050201010201",
		"14 digits, a whole sequence":     "30050203010001",
		"146 digits":                      sequence(t, long, new(big.Int).Rsh(long, 8)),
		"r and s alone":                   vector6,
		"base64":                          base64.StdEncoding.EncodeToString(raw),
		"hexadecimal with a prefix":       "0x" + vector1,
		"blank before":                    " " + vector1[:len(vector1)-1],
		"blanks around":                   " " + vector1 + " ",
		"newline at the end":              vector1 + "\n",
		"full width digits":               strings.Replace(vector1, "3", "\uff13", 1),
		"a byte after it":                 vector1 + "00",
		"a sequence after it":             vector1 + "3000",
		"a byte too few":                  vector1[:len(vector1)-2],
		"r is zero":                       sequence(t, new(big.Int), elliptic.P256().Params().N),
		"s is zero":                       sequence(t, elliptic.P256().Params().N, new(big.Int)),
		"r is negative":                   sequence(t, big.NewInt(-1), elliptic.P256().Params().N),
		"s is negative":                   sequence(t, elliptic.P256().Params().N, big.NewInt(-1)),
		"one integer":                     sequence(t, elliptic.P256().Params().N),
		"three integers":                  sequence(t, elliptic.P256().Params().N, one, one),
		"no integers":                     "3006040101040101",
		"something else in the sequence":  "3009020101020101040101",
		"an empty integer":                "30060200020200ff",
		"a set":                           "31" + vector1[2:],
		"integers that are not minimal":   "30080202000102020001",
		"a length that is not minimal":    "308144" + vector1[4:],
		"a length of three bytes":         "30820044" + vector1[4:],
		"an integer's length not minimal": "30450281" + vector1[6:],
		"an indefinite length":            "3080" + vector1[4:] + "0000",
		"a length beyond the end":         "3045" + vector1[4:],
		"a length before the end":         "3043" + vector1[4:],
	} {
		if der, err := signing.ParseSignature(digits); !errors.Is(err, signing.ErrFormat) || der != nil {
			t.Errorf("%s (%s): got %x, error %v, want %v", name, digits, der, err, signing.ErrFormat)
		}
	}
}

func TestParsePrivateKey(t *testing.T) {
	t.Parallel()
	key, err := signing.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	modern, err := signing.EncodePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	classic := block("EC PRIVATE KEY", der)
	curve := block("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, text string
		want       error
	}{
		{"PKCS 8", string(modern), nil},
		{"SEC 1", classic, nil},
		{"SEC 1 with the curve before it", curve + classic, nil},
		{"CRLF", strings.ReplaceAll(classic, "\n", "\r\n"), nil},
		{"text before it", "Key Attributes\n" + string(modern), nil},
		{"nothing", "", signing.ErrPrivateKey},
		{"junk", "junk", signing.ErrPrivateKey},
		{"the curve alone", curve, signing.ErrPrivateKey},
		{"public key", vectorKey, signing.ErrPrivateKey},
		{"P-384", block("PRIVATE KEY", other), signing.ErrPrivateKey},
		{"another label", block("RSA PRIVATE KEY", der), signing.ErrPrivateKey},
		{"half a key", block("EC PRIVATE KEY", der[:20]), signing.ErrPrivateKey},
		{"protected, PKCS 8", block("ENCRYPTED PRIVATE KEY", der), signing.ErrEncrypted},
		{"protected, SEC 1", strings.Replace(classic, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1), signing.ErrEncrypted},
	} {
		got, err := signing.ParsePrivateKey([]byte(tc.text))
		if !errors.Is(err, tc.want) || (tc.want == nil) != (got != nil && key.Equal(got)) {
			t.Errorf("%s: got %v, error %v, want %v", tc.name, got, err, tc.want)
		}
	}
}
