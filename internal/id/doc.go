// Package id turns the row ids of the store into public ids and back.
//
// A table numbers its rows with an ascending int64, which keeps inserts at the
// end of one index. The public id of a row is not stored: it is the row id,
// sealed. So no table needs a second index in random order, an id read from
// the wire is opened without asking the store, and a made-up id is refused
// before any query.
//
// # Construction
//
// A sealed id is a UUID of version 8, RFC 9562 variant, which leaves 122 bits:
//
//	tag  = first 58 bits of AES-128(k1, kind || n)
//	body = n XOR first 64 bits of AES-128(k2, kind || tag)
//
//	bits   0- 47  tag, upper 48 bits
//	bits  48- 51  version, 1000
//	bits  52- 61  tag, lower 10 bits
//	bits  62- 63  body, upper 2 bits
//	bits  64- 65  variant, 10
//	bits  66-127  body, lower 62 bits
//
// This is the shape of SIV: the tag authenticates the row id and serves as the
// nonce that hides it. k1 and k2 are the halves of the codec's key.
//
//   - Deterministic: a row has one public id, on every node that has the key.
//   - Unguessable: an id nobody was shown is accepted with a chance of 2^-58
//     per try; neighbours, order and number of rows cannot be read from ids.
//   - Separate per kind: the id of a message does not open as that of a space.
//   - 58 bits make equal tags likely from about 2^29 rows of a kind on. Two
//     ids with equal tags reveal the XOR of their row ids, and nothing else;
//     they remain different ids and remain authentic.
//
// The key belongs to the data: it is stored with it, saved and restored with
// it, and must never change, since a new key makes every public id ever handed
// out unknown.
package id
