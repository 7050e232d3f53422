package agentchat

func messageRoutes() []Route { return nil }
