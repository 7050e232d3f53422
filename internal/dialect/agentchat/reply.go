package agentchat

func replyRoutes() []Route { return nil }
