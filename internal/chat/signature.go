package chat

// Signature is what the sender of a message signed it with (AI 7). It is kept with
// the key that was the sender's at the moment of sending, so that it stays
// verifiable when the key changes.
type Signature struct {
	Value     []byte          `json:"value"` // ASN.1 DER
	Scheme    SignatureScheme `json:"scheme,omitempty"`
	PublicKey string          `json:"public_key,omitempty"` // "" if the sender had none
}

// Verified tells whether the server checked the signature against the sender's key.
func (s *Signature) Verified() bool { return s.Scheme != SignatureUnchecked }

// SignatureScheme says which bytes a signature is over (AI 7.3).
type SignatureScheme uint8

// The schemes. The numbers are stored and never change.
const (
	// SignatureUnchecked: the sender had no key to check it with.
	SignatureUnchecked SignatureScheme = 0
	// SignatureBound is over the content together with sender and destination.
	SignatureBound SignatureScheme = 1
	// SignatureContent is over the content alone.
	SignatureContent SignatureScheme = 2
)

// String gives the name that is shown to clients, "" for SignatureUnchecked.
func (s SignatureScheme) String() string {
	switch s {
	case SignatureBound:
		return "bound-v1"
	case SignatureContent:
		return "content"
	}
	return ""
}
