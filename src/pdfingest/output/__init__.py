"""What a run writes and remembers: ledger, outputs, summary."""
