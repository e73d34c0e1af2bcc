"""The platform on localhost, written from its documents and sharing no code with the client.

`aep-agent emulate` answers as a streaming inlet does, keeps the exact bytes of every record it
accepts, and can be told to fail in every way an inlet, a proxy or a network is known to. With a
client id it also issues tokens, and its inlet asks for them.

What is not emulated: mapping, schemas and datasets (a record that is accepted is not validated
against its XDM schema and never lands anywhere but in the emulator's own list), the limit of 60
synchronous validations a minute, rate limits (script a 429 instead), the Smile encoding (415),
sandboxes, the silent loss in the first minutes of a new flow, TLS, and every service beside the
inlet and the tokens (flows, catalog).
"""
