"""What the engine needs. The parent imports this module, and with it nothing that reads PDFs."""

from pdfingest import Needs

NEEDS = Needs(fork_safe=True)
"""The engine is imported once, in the image that children are forked from, and not by each."""
