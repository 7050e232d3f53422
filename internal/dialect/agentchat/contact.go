package agentchat

func contactRoutes() []Route { return nil }
