package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// manners are how a test's mail server behaves.
type manners struct {
	startTLS, implicitTLS bool
	user, password        string // AUTH PLAIN is offered and demanded
	// answers replaces the answer to a verb: "RCPT" to "550 no such user". An
	// empty answer hangs up, and "hang" never answers.
	answers map[string]string
}

// delivery is one mail as the server took it.
type delivery struct {
	from, to, data string
	encrypted      bool
}

// mailServer is as much of an SMTP server as sending a mail takes.
type mailServer struct {
	manners
	certificate tls.Certificate
	roots       *x509.CertPool
	port        int
	taken       chan delivery
	stopped     chan struct{}
}

func newMailServer(t *testing.T, m manners) *mailServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s := &mailServer{
		manners: m, port: listener.Addr().(*net.TCPAddr).Port,
		taken: make(chan delivery, 1), stopped: make(chan struct{}),
	}
	s.certificate, s.roots = selfSigned(t)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				s.serve(conn)
				_ = conn.Close() // most clients are gone by now
			})
		}
	})
	t.Cleanup(func() {
		close(s.stopped)
		if err := listener.Close(); err != nil {
			t.Errorf("stop the mail server: %v", err)
		}
		connections.Wait()
	})
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	config := &tls.Config{Certificates: []tls.Certificate{s.certificate}, MinVersion: tls.VersionTLS12}
	var got delivery
	if s.implicitTLS {
		conn = tls.Server(conn, config)
		got.encrypted = true
	}
	text := textproto.NewReader(bufio.NewReader(conn))
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(conn, format+"\r\n", args...) // a client that is gone is noticed by the next read
	}
	if !s.answer("CONNECT", "220 ready", say) {
		return
	}
	welcome := s.user == ""
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		answer := "250 fine"
		switch verb {
		case "EHLO":
			answer = "250-hello" + s.extensions(got.encrypted) + "\r\n250 SIZE 1000000"
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, config)
			text = textproto.NewReader(bufio.NewReader(conn))
			got.encrypted = true
			continue
		case "AUTH":
			want := base64.StdEncoding.EncodeToString([]byte("\x00" + s.user + "\x00" + s.password))
			welcome = rest == "PLAIN "+want
			answer = "235 come in"
			if !welcome {
				answer = "535 wrong password"
			}
		case "MAIL":
			if got.from = rest; !welcome {
				answer = "530 log in first"
			}
		case "RCPT":
			got.to = rest
		case "DATA":
			if !s.answer("DATA", "354 go on", say) {
				return
			}
			data, err := text.ReadDotBytes()
			if err != nil {
				return
			}
			got.data, verb = string(data), "DATA END"
			if s.answers[verb] == "" {
				s.taken <- got
			}
		case "QUIT":
			answer = "221 goodbye"
		}
		if !s.answer(verb, answer, say) {
			return
		}
	}
}

// answer says the answer to a verb and tells whether to go on.
func (s *mailServer) answer(verb, usual string, say func(string, ...any)) bool {
	answer, changed := s.answers[verb]
	switch {
	case !changed:
		say("%s", usual)
	case answer == "hang":
		<-s.stopped
		return false
	case answer == "":
		return false
	default:
		say("%s", answer)
	}
	return true
}

func (s *mailServer) extensions(encrypted bool) string {
	var lines string
	if s.startTLS && !encrypted {
		lines += "\r\n250-STARTTLS"
	}
	if s.user != "" {
		lines += "\r\n250-AUTH PLAIN"
	}
	return lines
}

// selfSigned makes a certificate for 127.0.0.1 and the pool that trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("make a certificate: %v", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("read the certificate: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
