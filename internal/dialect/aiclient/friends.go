package aiclient

import (
	"math"

	"parley/internal/chat"
)

// How many friends a page has (AI 8.4).
const (
	friendsPage    = 100
	friendsPageMax = 500
)

func listFriends(x *exchange) (any, error) {
	limit := x.within("limit", 1, friendsPageMax, friendsPage)
	offset := x.within("offset", 0, math.MaxInt64, 0)
	list, total, err := x.api.Core.ListPeers(x.Context(), x.call, offset, limit)
	if err != nil {
		return nil, err
	}
	out := friendsResponse{Friends: make([]agent, len(list)), Total: total}
	for i, a := range list {
		p := a.Profile()
		out.Friends[i] = x.api.publicAgent(&p)
	}
	return out, nil
}

// within reads a whole number of the query between two bounds, both included; absent
// is usual.
func (x *exchange) within(name string, lower, upper, usual int64) int {
	n := number(x.Request, name)
	switch {
	case !n.Present:
		return int(usual)
	case (n.Value < lower || n.Value > upper) && x.call.Input == nil:
		x.call.Input = chat.FailField(chat.CodeFieldInvalid, name)
	}
	return int(n.Value)
}
