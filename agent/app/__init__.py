"""The composition root: from a configuration to a running agent, and down again in order."""
