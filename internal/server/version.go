package server

import (
	"runtime"
	"runtime/debug"
)

// Build tells which program this is, as the Go toolchain noted it.
type Build struct {
	Version  string `json:"version"`  // "devel" when built outside a release
	Revision string `json:"revision"` // "" when unknown
	Modified bool   `json:"modified"` // built with changes that were not committed
	Time     string `json:"time"`     // of the revision, RFC 3339; "" when unknown
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// ReadBuild reads what the toolchain noted in this binary.
func ReadBuild() Build {
	b := Build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
