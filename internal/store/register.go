package store

// RegisterReader answers questions about what the name says; see Reader.
type RegisterReader interface{}

// RegisterTx writes it; see Tx.
type RegisterTx interface{}
