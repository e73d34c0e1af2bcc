"""One file per command; a command's module is imported only when it is chosen."""
