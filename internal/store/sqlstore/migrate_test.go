package sqlstore_test

import (
	"errors"
	"testing"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

func TestCheckVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		applied, known []int64
		want           error
	}{
		{"new database", nil, []int64{1, 2}, nil},
		{"up to date", []int64{1, 2}, []int64{1, 2}, nil},
		{"in any order", []int64{2, 1}, []int64{1, 2}, nil},
		{"one to apply", []int64{1}, []int64{1, 2}, nil},
		{"newer", []int64{1, 2, 3}, []int64{1, 2}, store.ErrNewerSchema},
		{"newer with a gap", []int64{1, 3}, []int64{1, 2}, store.ErrNewerSchema},
		{"nothing known", []int64{1}, nil, store.ErrNewerSchema},
		{"left out", []int64{1, 3}, []int64{1, 2, 3}, store.ErrSchemaGap},
		{"first left out", []int64{2}, []int64{1, 2}, store.ErrSchemaGap},
		{"not known", []int64{1, 2, 3}, []int64{1, 3}, store.ErrSchemaGap},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := sqlstore.CheckVersions(test.applied, test.known); !errors.Is(got, test.want) {
				t.Errorf("applied %v, known %v: got error %v, want %v", test.applied, test.known, got, test.want)
			}
		})
	}
}
