package agentchat

func conversationRoutes() []Route { return nil }
