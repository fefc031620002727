"""Everything that reads PDFs. Runs in the child only; the only importer of PDF libraries."""
