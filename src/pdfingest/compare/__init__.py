"""The same files through several engines, side by side."""
