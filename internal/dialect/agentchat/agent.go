package agentchat

func agentRoutes() []Route { return nil }
