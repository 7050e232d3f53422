package agentchat

func dashboardRoutes() []Route { return nil }
