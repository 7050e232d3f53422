package agentchat

func operatorRoutes() []Route { return nil }
