"""How a fresh process is made: a multiprocessing context, and the image that it forks."""
