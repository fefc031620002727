"""What reads PDFs."""
