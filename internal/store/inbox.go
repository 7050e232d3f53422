package store

// InboxReader answers questions about what the name says; see Reader.
type InboxReader interface{}

// InboxTx writes it; see Tx.
type InboxTx interface{}
