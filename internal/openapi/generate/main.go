// Command generate writes what api/ holds: the OpenAPI document of each dialect
// and the catalogue of errors. Its one argument is the folder, "api" if missing.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"parley/internal/openapi"
)

func main() {
	folder := "api"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := write(folder); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	files, err := generated()
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generated is the content of every file, by name.
func generated() (map[string][]byte, error) {
	files := make(map[string][]byte)
	documents := map[string]*openapi.Document{
		"opencord.json": openCord(), "agentchat.json": agentChat(), "aiclient.json": aiClient(),
	}
	for name, document := range documents {
		content, err := document.JSON()
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		files[name] = content
	}
	errorsJSON, err := catalogue()
	if err != nil {
		return nil, fmt.Errorf("write the catalogue of errors: %w", err)
	}
	files["errors.json"] = errorsJSON
	return files, nil
}
