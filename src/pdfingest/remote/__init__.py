"""Files that are not on this machine: how they are named, listed and brought here.

What talks to the network is a process of its own (`network`), which the parent starts: neither the
parent nor a child that reads a PDF imports a library for it.
"""
