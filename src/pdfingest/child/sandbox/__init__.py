"""What a child gives up: network, other files, other programs, other processes. Linux only."""
