package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The bounds of a hash that is checked. They leave room to raise the cost
// later and keep a tampered row from taking the server's memory or time.
const (
	maxEncodedLen = 256       // bytes of the whole string
	maxMemory     = 64 * 1024 // KiB
	maxTime       = 8
	maxThreads    = 4
	minSaltLen    = 8  // bytes
	maxSaltLen    = 64 // bytes
	minKeyLen     = 16 // bytes
	maxKeyLen     = 64 // bytes
)

// encoded is a hash with all that is needed to compute it again.
type encoded struct {
	cost cost
	salt []byte
	key  []byte
}

// String is the PHC form, $argon2id$v=19$m=19456,t=2,p=1$salt$key, with salt
// and key in base64 without padding.
func (e encoded) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		e.cost.memory, e.cost.time, e.cost.threads,
		base64.RawStdEncoding.EncodeToString(e.salt), base64.RawStdEncoding.EncodeToString(e.key))
}

// parseEncoded reads what String writes and nothing else. Its errors do not
// quote the string: it is a secret.
func parseEncoded(s string) (encoded, error) {
	if len(s) > maxEncodedLen {
		return encoded{}, errors.New("too long")
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return encoded{}, errors.New("not in PHC form")
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return encoded{}, errors.New("want the three costs m, t and p")
	}
	memory, err1 := boundedCost(costs[0], "m=", maxMemory)
	time, err2 := boundedCost(costs[1], "t=", maxTime)
	threads, err3 := boundedCost(costs[2], "p=", maxThreads)
	if err := errors.Join(err1, err2, err3); err != nil {
		return encoded{}, err
	}
	salt, err1 := boundedBytes(parts[4], minSaltLen, maxSaltLen)
	key, err2 := boundedBytes(parts[5], minKeyLen, maxKeyLen)
	if err := errors.Join(err1, err2); err != nil {
		return encoded{}, err
	}
	e := encoded{cost: cost{memory: memory, time: time, threads: uint8(threads)}, salt: salt, key: key}
	// Written again it must be the same: this settles algorithm, version,
	// leading zeros, signs and line breaks inside the base64 in one place.
	if e.String() != s {
		return encoded{}, errors.New("not the canonical argon2id form")
	}
	return e, nil
}

// boundedCost reads "<name>=<number>" with a number from 1 to most.
func boundedCost(s, name string, most uint64) (uint32, error) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("cost %s out of bounds", name)
	}
	return uint32(n), nil
}

func boundedBytes(s string, least, most int) ([]byte, error) {
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("salt or key is not base64")
	}
	if len(b) < least || len(b) > most {
		return nil, fmt.Errorf("salt or key of %d bytes", len(b))
	}
	return b, nil
}
