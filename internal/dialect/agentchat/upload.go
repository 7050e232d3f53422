package agentchat

func uploadRoutes() []Route { return nil }
