package store

// ContactReader answers questions about what the name says; see Reader.
type ContactReader interface{}

// ContactTx writes it; see Tx.
type ContactTx interface{}
