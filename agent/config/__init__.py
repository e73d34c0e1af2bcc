"""What a person writes: the configuration, checked whole before anything starts."""
