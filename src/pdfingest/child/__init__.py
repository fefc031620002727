"""What runs in the child, in this order: limits, sandbox, extraction."""
