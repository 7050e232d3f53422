package main

import (
	"bytes"
	"encoding/json"

	"parley/internal/chat"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/opencord"
)

// answer is how one dialect words a code; {field}, {want}, {min}, {max} and {handle}
// in the text stand for the facts of the failure.
type answer struct {
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"` // where the dialect has words of its own
	Text   string `json:"text"`
}

// catalogue lists every code of the core with the answer of each dialect.
func catalogue() ([]byte, error) {
	codes := make(map[chat.Code]map[string]answer)
	openCord, agentChat, aiClient := opencord.Answers(), agentchat.Answers(), aiclient.Answers()
	for _, code := range chat.Codes() {
		codes[code] = map[string]answer{
			chat.SurfaceOpenCord.String():  {Status: openCord[code].Status, Text: openCord[code].Text},
			chat.SurfaceAgentChat.String(): answer(agentChat[code]),
			chat.SurfaceAIClient.String():  {Status: aiClient[code].Status, Text: aiClient[code].Text},
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(map[string]any{"codes": codes}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
