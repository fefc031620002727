"""The child, in the order of its life: limits, sandbox, extraction."""
