"""What a run writes and remembers: outputs, ledger, summary. All of it runs in the parent."""
