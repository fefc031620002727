"""Reading pictures of text. Runs in the child, but for what a run asks before it starts."""
