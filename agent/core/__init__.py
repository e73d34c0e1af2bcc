"""Decisions without IO: bytes, numbers and `now` come in as arguments, values go out."""
