package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Encryption says how the connection to the mail server is encrypted. A
// certificate that does not fit the host is refused in each case.
type Encryption int

const (
	// StartTLS begins in the clear and goes on only if the server offers
	// STARTTLS: the default, usually on port 587.
	StartTLS Encryption = iota
	// OpportunisticTLS is StartTLS that stays in the clear with a server that
	// does not offer it. Somebody on the way can pretend that, so it is meant
	// for a server on the same host or network. A password is then sent to
	// localhost only.
	OpportunisticTLS
	// ImplicitTLS is encrypted from the first byte, usually on port 465.
	ImplicitTLS
)

const (
	startTLSPort    = 587
	implicitTLSPort = 465

	defaultTimeout = 15 * time.Second
	// quitTimeout bounds the goodbye. The mail has been taken by then, so
	// nothing is lost by hanging up.
	quitTimeout = time.Second
)

// SMTPOptions name a mail server.
type SMTPOptions struct {
	Host string
	Port int // 0 is 587, or 465 with ImplicitTLS

	Encryption Encryption

	// Username and Password log in, with SCRAM-SHA-256, PLAIN or LOGIN. An empty
	// Username does not log in.
	Username, Password string

	// Timeout bounds the sending of one mail, from looking up the host to the
	// server's last answer. What is not positive is 15 s.
	Timeout time.Duration

	// RootCAs are trusted to sign the server's certificate; nil are the system's.
	RootCAs *x509.CertPool
}

// smtpServer delivers over one connection for each mail. Mails are few, and a
// connection kept for later is one that the server has closed by then.
type smtpServer struct {
	options   SMTPOptions
	tlsConfig *tls.Config
}

func newSMTP(o SMTPOptions) (*smtpServer, error) {
	if o.Host == "" {
		return nil, errors.New("the mail server has no host")
	}
	if o.Port < 0 || o.Port > 65535 {
		return nil, fmt.Errorf("%d is no port of a mail server", o.Port)
	}
	if o.Port == 0 {
		o.Port = startTLSPort
		if o.Encryption == ImplicitTLS {
			o.Port = implicitTLSPort
		}
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return &smtpServer{options: o, tlsConfig: &tls.Config{
		ServerName: o.Host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12,
	}}, nil
}

// client makes a client of the library for one delivery: it keeps state of the
// connection, so deliveries at the same time cannot share one.
func (s *smtpServer) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	o := s.options
	policy := gomail.TLSMandatory
	if o.Encryption == OpportunisticTLS {
		policy = gomail.TLSOpportunistic
	}
	options := []gomail.Option{
		gomail.WithPort(o.Port), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tlsConfig),
		gomail.WithTimeout(o.Timeout), gomail.WithDialContextFunc(dial),
		// Both cost a round trip and serve connections that are used again.
		gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	if o.Encryption == ImplicitTLS {
		options = append(options, gomail.WithSSL())
	}
	if o.Username != "" {
		options = append(options,
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(o.Username), gomail.WithPassword(o.Password))
	}
	client, err := gomail.NewClient(o.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("set up the mail client: %w", err)
	}
	return client, nil
}

// deliver sends one mail. The library heeds a context while it dials only, and
// leaves the connection open when the greeting fails; so the connection is held
// here, and closed when ctx ends and on the way out.
func (s *smtpServer) deliver(ctx context.Context, m *gomail.Msg) error {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	hangUp := func() {}
	client, err := s.client(func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		hangUp = func() {
			stop()
			_ = conn.Close() // closed already if all went well
		}
		if s.options.Encryption != ImplicitTLS {
			return conn, nil
		}
		encrypted := tls.Client(conn, s.tlsConfig)
		return encrypted, encrypted.HandshakeContext(dialing)
	})
	if err != nil {
		return err
	}
	defer func() { hangUp() }()

	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return explain(caller, ctx, "connect to the mail server", err)
	}
	if err := client.SendWithSMTPClient(connection, m); err != nil {
		return explain(caller, ctx, "hand the mail to the server", err)
	}
	// The server has taken the mail: whatever goes wrong with the goodbye is not
	// worth telling, and sending again would send it twice.
	if connection.UpdateDeadline(quitTimeout) == nil {
		_ = connection.Quit()
	}
	return nil
}

// explain tells what an error of the conversation means for the one mail. The
// library mentions codes of answers in two ways, and no type of its own for the
// rest; what is left without a code is a fault of the network if it looks like
// one, else of the setup.
func explain(caller, ctx context.Context, doing string, err error) error {
	if errors.Is(caller.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", doing, caller.Err())
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w: %w: %w", doing, ErrUnreachable, ctx.Err(), err)
	}
	code := 0
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		code = answer.Code
	}
	send, sending := errors.AsType[*gomail.SendError](err)
	if sending {
		code = send.ErrorCode()
	}
	switch {
	case code >= 400 && code < 500:
		return fmt.Errorf("%s: %w: %w", doing, ErrUnreachable, err)
	case code >= 500 && sending && send.Reason != gomail.ErrSMTPMailFrom:
		return fmt.Errorf("%s: %w: %w", doing, ErrRefused, err)
	case code == 0 && (sending || broken(err)):
		return fmt.Errorf("%s: %w: %w", doing, ErrUnreachable, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// broken tells whether a connection could not be made or broke.
func broken(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
