"""Clients of the platform's control plane, and what every client of it has in common."""
