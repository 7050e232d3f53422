package cli

import (
	"errors"
	"fmt"

	"parley/internal/chat"
	"parley/internal/signing"
)

type keyCommand struct {
	New    keyNew    `cmd:"" help:"Make a key pair."`
	Show   keyShow   `cmd:"" help:"Print the public key of a private key."`
	Sign   keySign   `cmd:"" help:"Sign a message."`
	Verify keyVerify `cmd:"" help:"Check the signature of a message; exit code 1 if it is not good."`
}

// Help is shown by kong.
func (*keyCommand) Help() string {
	return "An agent of aiclient (/ai) may sign what it says. It keeps the private key; its owner gives the public key to the server, " +
		"with POST or PATCH /ai/agents. These commands need no server. The curve is P-256, as openssl makes it with " +
		"`openssl ecparam -name prime256v1 -genkey`. Not to be taken for the keys that log in: those are `parley account keys`."
}

type keyNew struct {
	File   string `arg:"" default:"agent.pem" help:"File for the private key, ${default} by default; it must not exist."`
	Public string `placeholder:"FILE" help:"File for the public key, which is printed otherwise; it must not exist."`
	JSON   bool   `name:"json" help:"Print JSON: what PATCH /ai/agents/{id} takes."`
}

// Help is shown by kong.
func (*keyNew) Help() string {
	return "The private key is for the agent alone: nobody else may read the file, and the server has no use for it. " +
		"Whoever has it can sign as the agent."
}

// Run makes a key pair.
func (cmd *keyNew) Run(c *call) error {
	key, err := signing.GenerateKey()
	if err != nil {
		return fmt.Errorf("make a key pair: %w", err)
	}
	private, err := signing.EncodePrivateKey(key)
	if err != nil {
		return err
	}
	public, err := signing.EncodePublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	files := []keyFile{{name: cmd.File, content: private, mode: 0o600}}
	if cmd.Public != "" {
		files = append(files, keyFile{name: cmd.Public, content: []byte(public + "\n"), mode: 0o644})
	}
	if err := writeNew(files); err != nil {
		return err
	}
	c.tell("parley: the private key is in %s; keep it for the agent alone\n", cmd.File)
	if cmd.Public != "" && !cmd.JSON {
		return nil
	}
	return showPublic(c, public, cmd.JSON)
}

type keyShow struct {
	File string `arg:"" help:"File with a private key."`
	JSON bool   `name:"json" help:"Print JSON: what PATCH /ai/agents/{id} takes."`
}

// Run prints the public half of a private key.
func (cmd *keyShow) Run(c *call) error {
	key, err := readPrivate(cmd.File)
	if err != nil {
		return err
	}
	public, err := signing.EncodePublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return showPublic(c, public, cmd.JSON)
}

func showPublic(c *call, public string, asJSON bool) error {
	if asJSON {
		return writeJSON(c.Stdout, map[string]string{"public_key": public})
	}
	_, err := fmt.Fprintln(c.Stdout, public)
	return err
}

type keySign struct {
	Key string `required:"" placeholder:"FILE" help:"File with the private key."`
	message
	ContentOnly bool `help:"Sign the text alone, whatever else is given."`
	JSON        bool `name:"json" help:"Print JSON, for scripts."`
}

// Help is shown by kong.
func (*keySign) Help() string {
	return "With --from and --to, or --from and --group, the signature says who wrote to whom (bound-v1): it is good for nothing else. " +
		"Without them it is over the text alone. " + textHelp
}

// Run prints a signature.
func (cmd *keySign) Run(c *call) error {
	key, err := readPrivate(cmd.Key)
	if err != nil {
		return err
	}
	content, err := cmd.content(c)
	if err != nil {
		return err
	}
	signed, scheme := content, chat.SignatureContent
	if bound := cmd.bound(content); bound != "" && !cmd.ContentOnly {
		signed, scheme = bound, chat.SignatureBound
	}
	signature, err := signing.Sign(key, signed)
	if err != nil {
		return err
	}
	if cmd.JSON {
		return writeJSON(c.Stdout, map[string]string{"signature": signature, "signature_scheme": scheme.String()})
	}
	_, err = fmt.Fprintln(c.Stdout, signature)
	return err
}

type keyVerify struct {
	Public    string `required:"" placeholder:"FILE" help:"File with the public key of the sender."`
	Signature string `required:"" placeholder:"HEX" help:"The signature, as messages and parley key sign show it."`
	message
	JSON bool `name:"json" help:"Print JSON, for scripts."`
}

// Help is shown by kong.
func (*keyVerify) Help() string {
	return "Tells which form the signature is of: bound-v1, with --from and --to or --group, or content, over the text alone. " + textHelp
}

// Run says which form of a message a signature is over.
func (cmd *keyVerify) Run(c *call) error {
	key, err := readPublic(cmd.Public)
	if err != nil {
		return err
	}
	der, err := signing.ParseSignature(cmd.Signature)
	if err != nil {
		return errors.New("--signature is none: one has 16 to 144 hexadecimal digits, most often 140 to 144, and is DER inside")
	}
	content, err := cmd.content(c)
	if err != nil {
		return err
	}
	scheme := signing.Verify(key, der, cmd.bound(content), content)
	if scheme == chat.SignatureUnchecked {
		return errors.New("the signature is not one of this text by this key" + cmd.doubt())
	}
	if cmd.JSON {
		return writeJSON(c.Stdout, map[string]any{"signature_verified": true, "signature_scheme": scheme.String()})
	}
	over := "the text, who wrote it and to whom"
	if scheme == chat.SignatureContent {
		over = "the text alone"
	}
	_, err = fmt.Fprintf(c.Stdout, "The signature is good: %s, over %s.\n", scheme, over)
	return err
}
