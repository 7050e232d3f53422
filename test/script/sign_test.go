package script_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// This file signs and verifies with nothing but the standard library and the words of
// the contract (AI 7): what the server does is not to be its own witness.

// person registers people through /ai and logs them in.
func person(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) > 0, "person NAME...")
	for _, name := range args {
		email := strings.ToLower(name) + "@example.org"
		body := `{"email":"` + email + `","password":"` + password + `","username":"` + name + `"}`
		done(ts, w, "-", "/ai/auth/register", body)
		session := done(ts, w, "-", "/ai/auth/login", body)
		ts.Setenv(name+"_ID", member(ts, session, "user.id"))
		ts.Setenv(name+"_EMAIL", email)
		ts.Setenv(name+"_TOKEN", member(ts, session, "token"))
	}
}

// makes has a person make agents through /ai, with the public keys of the key pairs of
// the same names.
func makes(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) > 1, "makes PERSON NAME...")
	token := ts.Getenv(args[0] + "_TOKEN")
	for _, name := range args[1:] {
		public := "null"
		if w.pairs[name] != nil {
			public = `"` + ts.Getenv(name+"_PUBLIC") + `"`
		}
		made := done(ts, w, token, "/ai/agents", `{"name":"`+name+`","public_key":`+public+`}`)
		ts.Setenv(name+"_ID", member(ts, made, "aiAgent.id"))
		ts.Setenv(name+"_KEY", member(ts, made, "api_key"))
	}
}

// done makes a POST of /ai, which has to succeed, and returns the answer.
func done(ts *testscript.TestScript, w *world, token, path, body string) string {
	got := send(ts, w, nil, []string{token, http.MethodPost, path, body})
	if got.status != http.StatusOK {
		ts.Fatalf("POST %s: got status %d, want 200: %s", path, got.status, got.body)
	}
	return string(got.body)
}

// keyPair makes a key pair and sets variables to both halves, written as they stand
// between the quotes of a JSON text.
func keyPair(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 1 || len(args) == 2 && args[1] == "P-384", "keypair NAME [P-384]")
	curve := elliptic.P256()
	if len(args) == 2 {
		curve = elliptic.P384()
	}
	pair, err := ecdsa.GenerateKey(curve, rand.Reader)
	ts.Check(err)
	w.pairs[args[0]] = pair
	public, err := x509.MarshalPKIXPublicKey(&pair.PublicKey)
	ts.Check(err)
	ts.Setenv(args[0]+"_PUBLIC", quotedBlock(ts, "PUBLIC KEY", public))
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	ts.Check(err)
	ts.Setenv(args[0]+"_PRIVATE", quotedBlock(ts, "PRIVATE KEY", private))
}

func quotedBlock(ts *testscript.TestScript, kind string, der []byte) string {
	text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	ts.Check(err)
	return string(text[1 : len(text)-1])
}

// sign sets a variable to a signature: of the text alone, or bound to sender and
// destination.
func sign(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 3 || len(args) == 6, "sign VARIABLE PAIR TEXT [direct|group FROM TO]")
	pair := w.pairs[args[1]]
	if pair == nil {
		ts.Fatalf("there is no key pair %s", args[1])
	}
	der, err := ecdsa.SignASN1(rand.Reader, pair, digest(args[2:]))
	ts.Check(err)
	ts.Setenv(args[0], hex.EncodeToString(der))
}

// verify checks a signature with a public key that came from the server.
func verify(ts *testscript.TestScript, _ *world, args []string) {
	usage(ts, len(args) == 3 || len(args) == 6, "verify PUBLIC SIGNATURE TEXT [direct|group FROM TO]")
	block, _ := pem.Decode([]byte(args[0]))
	if block == nil {
		ts.Fatalf("%q is no PEM", args[0])
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	ts.Check(err)
	der, err := hex.DecodeString(args[1])
	ts.Check(err)
	if !ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest(args[2:]), der) {
		ts.Fatalf("the signature is not one of %q by the holder of that key", args[2:])
	}
}

// digest is that of TEXT [direct|group FROM TO].
func digest(words []string) []byte {
	text := words[0]
	if len(words) > 1 {
		text = strings.Join([]string{"aiclient-sig-v1", words[1], words[2], words[3], words[0]}, "\n")
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
