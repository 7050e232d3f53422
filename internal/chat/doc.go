// Package chat is the vocabulary of Parley: accounts, spaces, conversations,
// messages, members, events, typed ids and error codes.
//
// The nouns are those of the domain, not of any one wire contract. A dialect
// translates them into its own words; the core decides with them; a store keeps
// them. The package holds no rules and imports nothing but the standard library.
//
// Times are UTC with millisecond precision: that is what every store keeps and
// every dialect shows.
package chat
