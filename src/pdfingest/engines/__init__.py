"""What reads PDFs; `engine` says how to write another engine."""
