package agentchat

func hookRoutes() []Route { return nil }
