"""The Schema Registry: components in the containers `global` and `tenant`, and descriptors."""
