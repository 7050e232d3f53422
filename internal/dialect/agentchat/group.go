package agentchat

func groupRoutes() []Route { return nil }
