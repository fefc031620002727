"""How a fresh process is made: the context of an executor, and the image that children fork from.

`start` chooses between the two ways, forks of an image and `spawn`. What a child does is the
business of `child`; when one is needed, that of `run.lane`.
"""
