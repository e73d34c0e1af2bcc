"""What does a record cost, how late is it, and how far is that from what the machine could do?

`python -m benchmarks` measures the agent as a user runs it, as a child that reads a file or a pipe
and sends to a sink on loopback, beside the same C calls in a bare loop over the same file.
"""
