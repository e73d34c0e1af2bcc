"""The Flow Service below /data/foundation/flowservice: connections, flows, their specs and runs.

`routes` takes the calls and answers them. `kinds` says what all resources have in common;
`connections`, `source_connections`, `target_connections`, `flows` and `runs` say what each asks of
a body, and how it is shown. `filters`, `listing` and `patching` are the dialect all of them share,
`specs` what Adobe has declared once and for all, and `problems` the catalogue of errors.
"""
