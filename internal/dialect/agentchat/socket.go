package agentchat

func socketRoutes() []Route { return nil }
