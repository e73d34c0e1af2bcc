"""What becomes of records that others send to a streaming inlet, beside what becomes of ours?

`python -m benchmarks.beside` has each shipper that is installed follow one and the same file and
send it to one and the same inlet, on a good day and on bad ones, and counts what arrived. A shipper
that is not here is named, with how to install it, and gets no row.
"""
