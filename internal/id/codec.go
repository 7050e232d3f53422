package id

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// Kind separates the ids of one table from those of another.
type Kind byte

// The kinds. A number is part of every id handed out under it: it may never
// change and never be given to another kind. A new kind takes the next one.
const (
	KindAccount      Kind = 1
	KindSpace        Kind = 2
	KindConversation Kind = 3
	KindMessage      Kind = 4
	KindCredential   Kind = 5
	KindArchetype    Kind = 6
	KindDelivery     Kind = 7 // of an event to a webhook
	KindAttachment   Kind = 8
	KindInvite       Kind = 9
	KindHook         Kind = 10
	KindCode         Kind = 11
	KindReport       Kind = 12
	KindAudit        Kind = 13
	KindEscalation   Kind = 14
)

const (
	versionBits uint64 = 0x8 << 12 // in the upper half: version 8
	versionMask uint64 = 0xf << 12
	variantBits uint64 = 0b10 << 62 // in the lower half: RFC 9562
	variantMask uint64 = 0b11 << 62

	tagLowBits  = 10 // bits of the tag that stand after the version
	bodyLowBits = 62 // bits of the body that stand after the variant
)

// Codec seals row ids into public ids and opens them again. It is safe for
// concurrent use; a call costs two AES blocks and no allocation.
type Codec struct {
	tagger cipher.Block // k1
	masker cipher.Block // k2

	// scratch holds *[2 * aes.BlockSize]byte, input and output of one block.
	// What is passed through the cipher.Block interface escapes, so it would
	// be allocated on every call.
	scratch sync.Pool
}

// NewCodec makes the codec of a data set from its key, 32 random bytes that
// are kept with the data. It refuses the zero key, which is one that was never
// set.
func NewCodec(key [32]byte) (*Codec, error) {
	if key == [32]byte{} {
		return nil, errors.New("id key is all zero")
	}
	tagger, err := aes.NewCipher(key[:16])
	if err != nil {
		return nil, fmt.Errorf("set up id tag cipher: %w", err)
	}
	masker, err := aes.NewCipher(key[16:])
	if err != nil {
		return nil, fmt.Errorf("set up id mask cipher: %w", err)
	}
	return &Codec{
		tagger:  tagger,
		masker:  masker,
		scratch: sync.Pool{New: func() any { return new([2 * aes.BlockSize]byte) }},
	}, nil
}

// Seal is the public id of row n of the kind. Row ids begin at 1: what is
// sealed from a smaller number, Open refuses.
func (c *Codec) Seal(kind Kind, n int64) UUID {
	tag := c.tag(kind, n)
	body := uint64(n) ^ c.mask(kind, tag)

	hi := tag>>tagLowBits<<16 | versionBits | tag&(1<<tagLowBits-1)<<2 | body>>bodyLowBits
	lo := variantBits | body&^variantMask

	var u UUID
	binary.BigEndian.PutUint64(u[:8], hi)
	binary.BigEndian.PutUint64(u[8:], lo)
	return u
}

// Open is the row id that was sealed into u under the same kind. False means
// that this codec never sealed it: another kind, another key, another UUID
// version, or made up.
func (c *Codec) Open(kind Kind, u UUID) (int64, bool) {
	hi := binary.BigEndian.Uint64(u[:8])
	lo := binary.BigEndian.Uint64(u[8:])
	if hi&versionMask != versionBits || lo&variantMask != variantBits {
		return 0, false
	}
	tag := hi>>16<<tagLowBits | hi>>2&(1<<tagLowBits-1)
	body := hi<<bodyLowBits | lo&^variantMask
	n := int64(body ^ c.mask(kind, tag))
	// Tags are compared as one machine word, so the time taken does not tell
	// how many of their bits were right.
	if c.tag(kind, n)^tag != 0 || n <= 0 {
		return 0, false
	}
	return n, true
}

// SealPair is the public id of a row that two row ids name together, such as one
// recipient's copy of a message: all 128 bits, so it has the length of a UUID but is
// none. Both must be positive.
func (c *Codec) SealPair(a, b int64) UUID {
	return c.pair(a, b, c.tagger.Encrypt)
}

// OpenPair is what was sealed into u. There is no tag: anything opens to two
// numbers, and the caller checks that one of them is what it has to be.
func (c *Codec) OpenPair(u UUID) (a, b int64) {
	a = int64(binary.BigEndian.Uint64(u[:8]))
	b = int64(binary.BigEndian.Uint64(u[8:]))
	opened := c.pair(a, b, c.tagger.Decrypt)
	return int64(binary.BigEndian.Uint64(opened[:8])), int64(binary.BigEndian.Uint64(opened[8:]))
}

// pair turns one block. What is encrypted begins with a zero byte, as row ids stay
// below 2^56, and what prf encrypts never does, so the two share a key.
func (c *Codec) pair(a, b int64, turn func(dst, src []byte)) UUID {
	scratch := c.scratch.Get().(*[2 * aes.BlockSize]byte)
	defer c.scratch.Put(scratch)
	in, out := scratch[:aes.BlockSize], scratch[aes.BlockSize:]
	binary.BigEndian.PutUint64(in[:8], uint64(a))
	binary.BigEndian.PutUint64(in[8:], uint64(b))
	turn(out, in)
	return UUID(out)
}

// tag is the 58-bit tag of row n.
func (c *Codec) tag(kind Kind, n int64) uint64 {
	return c.prf(c.tagger, kind, uint64(n)) >> 6
}

// mask hides the row id of the given tag.
func (c *Codec) mask(kind Kind, tag uint64) uint64 {
	return c.prf(c.masker, kind, tag)
}

// prf is the first 64 bits of the block (kind, seven zero bytes, v), encrypted.
func (c *Codec) prf(block cipher.Block, kind Kind, v uint64) uint64 {
	s := c.scratch.Get().(*[2 * aes.BlockSize]byte)
	in, out := s[:aes.BlockSize], s[aes.BlockSize:]
	binary.BigEndian.PutUint64(in[:8], uint64(kind)<<56)
	binary.BigEndian.PutUint64(in[8:], v)
	block.Encrypt(out, in)
	r := binary.BigEndian.Uint64(out)
	c.scratch.Put(s)
	return r
}
