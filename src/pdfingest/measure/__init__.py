"""What a machine gives and a process takes: memory, CPUs, descriptors."""
