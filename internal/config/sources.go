package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/pelletier/go-toml/v2"
)

// Source is where the value of an option came from.
type Source string

// The sources, strongest first.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromDefault     Source = "default"
)

// fileOption is the option that names the file; the file cannot set it.
const fileOption = "config"

// Sources gives kong the values that no flag has set: from the environment, else
// from the file. It is one resolver and not two, so that their order does not
// depend on the order of registration. Use a new one for each command line.
type Sources struct {
	lookup func(string) (string, bool)
	file   map[string]string // by option; nil until it was read
	from   map[string]Source // by option, as resolved
}

// NewSources reads the environment through lookup, usually os.LookupEnv.
func NewSources(lookup func(string) (string, bool)) *Sources {
	return &Sources{lookup: lookup, from: make(map[string]Source)}
}

// Validate is part of kong.Resolver; values are checked when they are resolved.
func (s *Sources) Validate(*kong.Application) error { return nil }

// Resolve is part of kong.Resolver. It leaves flags that are no options alone.
func (s *Sources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isOption(flag.Value) && flag.Name != fileOption {
		return nil, nil
	}
	if value, ok := s.environment(flag.Name); ok {
		s.from[flag.Name] = FromEnvironment
		return checked(flag, value, Env(flag.Name))
	}
	if flag.Name == fileOption {
		return nil, nil
	}
	name, err := s.readFile(ctx)
	if err != nil {
		return nil, err
	}
	if value, ok := s.file[flag.Name]; ok {
		s.from[flag.Name] = FromFile
		return checked(flag, value, name)
	}
	return nil, nil
}

// checked makes sure that value is one for the flag, so that an error can name
// where it came from.
func checked(flag *kong.Flag, value, source string) (any, error) {
	scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
	trial := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, trial); err != nil {
		return nil, &sourceError{fmt.Errorf("%s, in %s: %w", flag.Name, source, err)}
	}
	return value, nil
}

func (s *Sources) environment(option string) (string, bool) {
	value, _ := s.lookup(Env(option))
	return value, value != ""
}

// readFile reads the file once, if one is named.
func (s *Sources) readFile(ctx *kong.Context) (name string, err error) {
	for _, flag := range ctx.Flags() {
		if flag.Name == fileOption {
			name, _ = ctx.FlagValue(flag).(string)
		}
	}
	if name == "" {
		name, _ = s.environment(fileOption)
	}
	if s.file != nil || name == "" {
		return name, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return name, &sourceError{fmt.Errorf("read the configuration: %w", err)}
	}
	if s.file, err = parseFile(text); err != nil {
		return name, &sourceError{fmt.Errorf("%s: %w", name, err)}
	}
	return name, nil
}

// sourceError is about the environment or the file, not about the command line.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// Explain returns what to tell about an error of kong's parser. fromSource says
// that the environment or the file is at fault rather than the command line.
func Explain(err error) (fromSource bool, sentence error) {
	var s *sourceError
	if errors.As(err, &s) {
		return true, s.error
	}
	return false, err
}

// parseFile reads the TOML text into values as a flag would have them.
func parseFile(text []byte) (map[string]string, error) {
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, column := at.Position()
			return nil, fmt.Errorf("line %d, column %d: %w", row, column, err)
		}
		return nil, err
	}
	known := Options()
	values := make(map[string]string, len(tree))
	for key, value := range tree {
		if !slices.ContainsFunc(known, func(o Option) bool { return o.Name == key }) {
			return nil, fmt.Errorf("%s is no option; `parley config check` lists them", key)
		}
		var err error
		if values[key], err = flagText(value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return values, nil
}

// flagText writes a TOML value as one would on the command line.
func flagText(value any) (string, error) {
	switch v := value.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			text, err := flagText(part)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		return strings.Join(parts, ","), nil
	case map[string]any:
		return "", errors.New("is a section, want a value")
	}
	return fmt.Sprint(value), nil
}
