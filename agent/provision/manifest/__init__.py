"""What should there be on the platform? A manifest, and how it is read."""
