"""The command line: one module a command, and what a person sees.

The modules of commands declare options, which `--help` needs as well. They import what a command
does inside its function, because those imports take up to half a second.
"""
