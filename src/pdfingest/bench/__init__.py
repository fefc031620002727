"""The leak test: the same files in fresh processes and in one that is reused."""
