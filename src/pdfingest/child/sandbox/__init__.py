"""What a child gives up: the network, other files, other programs, other processes."""
