"""The leak test: the same files in fresh processes, in a server, and with a leak on purpose."""
