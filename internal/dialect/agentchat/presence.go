package agentchat

func presenceRoutes() []Route { return nil }
