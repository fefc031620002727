"""The leak test: the same files in fresh processes, and in one process that is reused."""
