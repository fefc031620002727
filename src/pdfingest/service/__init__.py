"""The service: upload, queue, worker, result. It adds transport to what `run` does."""
