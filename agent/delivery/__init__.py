"""From whole lines to a verdict per record: intake, batcher, sender, inlet."""
