package store

// OwnerReader answers questions about what the name says; see Reader.
type OwnerReader interface{}

// OwnerTx writes it; see Tx.
type OwnerTx interface{}
