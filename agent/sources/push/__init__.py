"""Records that others push to the agent over HTTP, and what they are answered."""
