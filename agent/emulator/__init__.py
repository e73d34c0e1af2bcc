"""The platform on localhost, written from its documents and sharing no code with the client.

`aep-agent emulate` answers as a streaming inlet does, keeps the exact bytes of every record it
accepts, and can be told to fail in every way an inlet, a proxy or a network is known to. With a
client id it also issues tokens, and its inlet asks for them.

Behind one gateway stand the services that set inlets up, on the platform's own paths below /data/:
`flow` is Flow Service, `schemas` the Schema Registry, then `catalog`, `dataprep`, `export`,
`observability` and `sandboxes`. What was made with them works: a base connection of the HTTP API
has an inlet at once, and its flow's records are mapped, judged against their schema, and land. The
ready-made inlet needs nothing of that; what it accepts is only kept.

That happens in the background (`data_plane`, `landing`, `judging`): a record becomes a row of its
dataset, which can be asked in SQL (`queries`) and is Parquet below --data, or it is in a failed
batch with the platform's words; Profile hears of it where the dataset is enabled. What the platform
does silently to good records is a trap that can be set (`traps`).

What is not emulated: reading from Kinesis, Event Hubs and PubSub (their connections and flows can
be made, but no record comes that way), other connectors, exploring a connection, drafts of flows
and the actions of providers, permissions, the signatures of JWTs, samples, audit logs, export and
import of schemas, files of batches that landed, the Smile encoding (415), and TLS. A batch lands
after a fraction of a second, not after minutes. Profile is much reduced: no identity graph, no
merge policies, no segments, no expiry, and upserts of arrays replace them.
"""
