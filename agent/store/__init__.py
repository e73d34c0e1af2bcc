"""What outlives a request: the spool, dead letters and receipts."""
