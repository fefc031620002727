"""Records of earlier runs for other tools: written in their shapes, or loaded as their types."""
