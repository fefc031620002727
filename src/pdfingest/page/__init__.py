"""Steps from what an engine read to what a record holds. They run in the child."""
