"""What agents get: a server of the Model Context Protocol over one output directory."""
