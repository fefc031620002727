"""Jobs onto lanes: starting children, noticing how they end."""
