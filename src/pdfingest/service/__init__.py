"""The service: upload, queue, worker, result. It adds transport; `run` and it share the rest."""
