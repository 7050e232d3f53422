package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// Option describes one option.
type Option struct {
	Name        string // as flag and in the file
	Env         string // environment variable
	Default     string // "" is none
	Placeholder string
	Help        string // one sentence
	Group       string
}

// Options lists all options in the order of the help.
func Options() []Option {
	var options []Option
	for _, flag := range parser(new(Config)).Model.Flags {
		if isOption(flag.Value) {
			options = append(options, Option{
				Name: flag.Name, Env: Env(flag.Name), Default: flag.Default,
				Placeholder: flag.PlaceHolder, Help: flag.Help, Group: strings.TrimSuffix(flag.Group.Key, ":"),
			})
		}
	}
	return options
}

// Env is the environment variable of an option: PARLEY_PUBLIC_URL for public-url.
func Env(option string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
}

// isOption tells options, which have sources, from flags of one command.
func isOption(v *kong.Value) bool { return v.Tag.Has("option") }

// Help is the help text of a flag with its default and environment variable, for
// kong.ValueFormatter.
func Help(v *kong.Value) string {
	if !isOption(v) && v.Name != fileOption {
		return v.Help
	}
	if v.Default == "" {
		return fmt.Sprintf("%s [$%s]", v.Help, Env(v.Name))
	}
	return fmt.Sprintf("%s [%s, $%s]", v.Help, v.Default, Env(v.Name))
}

// Setting is the value that is in effect for one option.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // passwords masked
	Source Source `json:"source"`
}

// Settings lists what is in effect after ctx was parsed with s as its resolver.
func (s *Sources) Settings(ctx *kong.Context) []Setting {
	given := make(map[string]bool)
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved {
			given[p.Flag.Name] = true
		}
	}
	var settings []Setting
	for _, flag := range ctx.Flags() {
		if !isOption(flag.Value) {
			continue
		}
		setting := Setting{Name: flag.Name, Value: shown(flag.Target), Source: FromDefault}
		if from, ok := s.from[flag.Name]; ok {
			setting.Source = from
		}
		if given[flag.Name] {
			setting.Source = FromFlag
		}
		settings = append(settings, setting)
	}
	return settings
}

// shown is a value as one would write it. The types that hold secrets mask them
// in their String.
func shown(v reflect.Value) string {
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(parts, ",")
}
