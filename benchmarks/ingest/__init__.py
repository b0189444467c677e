"""Documents a second, beside a loop of LangChain's loaders, splitter and store; a hostile tenant's file meanwhile."""
