package agentchat

func registerRoutes() []Route { return nil }
