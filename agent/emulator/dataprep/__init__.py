"""Data Prep: mapping sets, kept in all their versions, and the language they are written in."""
