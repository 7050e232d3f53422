package store

// HookReader answers questions about what the name says; see Reader.
type HookReader interface{}

// HookTx writes it; see Tx.
type HookTx interface{}
