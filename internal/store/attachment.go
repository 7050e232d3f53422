package store

// AttachmentReader answers questions about what the name says; see Reader.
type AttachmentReader interface{}

// AttachmentTx writes it; see Tx.
type AttachmentTx interface{}
