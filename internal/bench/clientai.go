package bench

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// privateRequests are the private messages of sender i through /ai, one for each of its
// conversations, ready to be sent. The contents are all the same, so that a signature
// is made once for each; the server checks it every time.
func privateRequests(f *fixture, i int, signed bool) ([][]byte, error) {
	var pen *ecdsa.PrivateKey
	if signed {
		parsed, err := x509.ParsePKCS8PrivateKey(f.Pen)
		if err != nil {
			return nil, fmt.Errorf("read the private key of senders: %w", err)
		}
		pen = parsed.(*ecdsa.PrivateKey)
	}
	var all [][]byte
	for _, k := range f.own(i) {
		to := f.PeerIDs[k-f.Channels]
		body := `{"toAiId":"` + to + `","content":"` + messageText() + `"`
		if signed {
			signature, err := boundSignature(pen, f.SenderIDs[i], to)
			if err != nil {
				return nil, err
			}
			body += `,"signature":"` + signature + `"`
		}
		body += "}"
		all = append(all, []byte("POST /ai/messages HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer "+f.Tokens[i]+
			"\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body))
	}
	return all, nil
}

// boundSignature signs what every message says, from one agent to another (AI 7.3).
func boundSignature(pen *ecdsa.PrivateKey, from, to string) (string, error) {
	text := strings.Join([]string{"aiclient-sig-v1", "direct", from, to, messageText()}, "\n")
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, pen, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return hex.EncodeToString(der), nil
}
