"""The platform on localhost, written from its documents and sharing no code with the client."""
