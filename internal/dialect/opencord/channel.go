package opencord

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

func (x *exchange) conversation() chat.ConversationID {
	return chat.ConversationID(x.pathID(id.KindConversation))
}

func listChannels(x *exchange) (any, error) {
	channels, err := x.api.core.ListChannels(x.Context(), x.call, x.space())
	if err != nil {
		return nil, err
	}
	out := make([]channel, 0, len(channels))
	for i := range channels {
		out = append(out, x.api.channel(&channels[i]))
	}
	return channelsResponse{out}, nil
}

type createChannelRequest struct {
	Name  string `json:"name" required:"true" minLength:"1" description:"Trimmed, one leading # dropped, lower-cased, blanks turned into hyphens; then 1-100 letters, digits, hyphens or underscores." example:"dev-talk"`
	Topic string `json:"topic" maxLength:"1024" description:"Trimmed; empty is none." example:"All about code."`
}

func (q *createChannelRequest) read(f *wire.Fields) {
	q.Name = f.Required("name")
	q.Topic = f.Text("topic")
}

func createChannel(x *exchange) (any, error) {
	var q createChannelRequest
	x.read(&q)
	return x.channel(x.api.core.CreateChannel(x.Context(), x.call, x.space(), core.NewChannel{Name: q.Name, Topic: q.Topic}))
}

func showChannel(x *exchange) (any, error) {
	return x.channel(x.api.core.ShowChannel(x.Context(), x.call, x.conversation()))
}

type updateChannelRequest struct {
	Name     chat.Opt[string] `json:"name" nullable:"true" minLength:"1" description:"As when it is made." example:"dev-talk"`
	Topic    chat.Opt[string] `json:"topic" nullable:"true" maxLength:"1024" description:"Trimmed; null or empty clears it." example:"All about code."`
	Position chat.Opt[int64]  `json:"position" nullable:"true" minimum:"0" maximum:"1000" example:"1"`
}

func (q *updateChannelRequest) read(f *wire.Fields) {
	q.Name = f.Optional("name")
	q.Topic = f.Optional("topic")
	q.Position = f.Integer("position")
}

func updateChannel(x *exchange) (any, error) {
	var q updateChannelRequest
	x.read(&q)
	return x.channel(x.api.core.UpdateChannel(x.Context(), x.call, x.conversation(), core.ChannelChange{
		Name: q.Name, Topic: q.Topic, Position: q.Position,
	}))
}

func deleteChannel(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.DeleteChannel(x.Context(), x.call, x.conversation())
}

// channel answers with the channel an operation returned.
func (x *exchange) channel(c *chat.Channel, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return channelResponse{x.api.channel(c)}, nil
}

func (a *api) channel(c *chat.Channel) channel {
	return channel{
		ID: a.seal(id.KindConversation, int64(c.ID)), ServerID: a.seal(id.KindSpace, int64(c.Space)),
		Name: c.Name, Topic: textOrNull(c.Topic), Type: "text", Position: c.Position,
		CreatedAt: wire.Instant(c.CreatedAt), UpdatedAt: wire.Instant(c.UpdatedAt),
	}
}
