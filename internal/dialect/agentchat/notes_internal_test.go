package agentchat

import "testing"

// Every route has a description of its own, and every description a route. Sockets
// are not in the document.
func TestNotesAndRoutesAgree(t *testing.T) {
	t.Parallel()
	known := notes()
	for _, r := range Routes() {
		_, described := known[r.ID]
		if socket := r.Status == 101; described == socket {
			t.Errorf("%s: described %v, socket %v; want one of the two", r.ID, described, socket)
		}
		delete(known, r.ID)
	}
	for id := range known {
		t.Errorf("%s is described and is no route", id)
	}
}

// A route that nobody has described yet is called after what it does.
func TestNoteOfAnUndescribedRoute(t *testing.T) {
	t.Parallel()
	if got, want := NoteOf(Route{ID: "new", Operation: "ShowNewThing"}).Summary, "Show new thing"; got != want {
		t.Errorf("summary: got %q, want %q", got, want)
	}
}
