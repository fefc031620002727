"""From what an engine says of a page and its document to what a record says."""
