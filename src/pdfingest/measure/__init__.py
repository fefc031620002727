"""What the machine gives and what processes take: memory, CPUs, descriptors."""
