package chat

// Opt is a field of a partial update: absent, cleared, or set to a value.
type Opt[T any] struct {
	Present bool // the field was there, as a value or as null
	Null    bool // it was there as null
	Value   T
}

// Some returns a field set to v.
func Some[T any](v T) Opt[T] { return Opt[T]{Present: true, Value: v} }
