"""What does somebody see who opens the admin port in a browser?

One page, made of the files beside this module and those of `agent.look`. It asks /status for
everything it shows, and nobody else for anything.
"""
