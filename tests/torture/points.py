"""Where in its work can the agent be made to die? Each point has a name and a function behind it.

A point is `module:name` or `module:Class.name` as the product looks it up, so that replacing the
attribute is enough. Product code knows nothing of this.
"""

from dataclasses import dataclass
from typing import Literal

When = Literal["before", "during", "after"]


@dataclass(frozen=True, slots=True)
class Point:
    """One function of the agent, when around a call of it to die, and how often it is called."""

    target: str
    whens: tuple[When, ...] = ("before", "after")
    calls: int = 20  # the call it happens at is drawn up to this
    stops: bool = False  # only met by an agent that is told to stop


POINTS: dict[str, Point] = {
    # start
    "parts are built": Point("agent.app.lifecycle:build", calls=1),
    "store is opened": Point("agent.store.opening:open_for_writing", calls=1),
    "store is made": Point("agent.store.database:_create", calls=1),
    "store is migrated": Point("agent.store.database:_migrate", calls=1),
    # in
    "file is read": Point("agent.sources.blocks:FileBlocks.read", calls=10),
    "pipe is read": Point("agent.sources.blocks:PipeBlocks.read"),
    "connection is accepted": Point("agent.sources.connections:Connections.admit", calls=1),
    "connection is read": Point("agent.sources.connections:Connections.read"),
    "lines are framed": Point("agent.core.framing:LineFramer.feed"),
    "chunk is validated": Point("agent.delivery.intake:read_chunk"),
    "lines are refused": Point("agent.delivery.settling:Settler.refuse", calls=10),
    "records join a draft": Point("agent.delivery.batcher:Batcher.add"),
    "batch is encoded": Point("agent.delivery.encoder:Encoder.batch"),
    "batch is appended": Point("agent.store.spool:DiskSpool.append"),
    # out
    "batch is leased": Point("agent.store.spool:DiskSpool.lease", calls=40),
    "request is made": Point("agent.delivery.inlet:Inlet.post", ("before", "during", "after"), 40),
    "answer is read": Point("agent.delivery.inlet:read_whole", calls=40),
    "answer is understood": Point("agent.core.responses:read", calls=40),
    "verdict is handed over": Point("agent.delivery.settling:Settler.settle", calls=40),
    "batch is split": Point("agent.delivery.settling:Settler.split", calls=3),
    "batch is released": Point("agent.store.spool:DiskSpool.release", calls=5),
    "batch is handed to the store": Point("agent.store.handover:Handover._hand_over", calls=10),
    "batch is known to be durable": Point("agent.store.handover:Handover._written", calls=10),
    "rows are loaded": Point("agent.store.loading:load", calls=3),
    # store
    "change is submitted": Point("agent.store.writer:Writer.submit", calls=40),
    "transaction begins": Point("sqlite:BEGIN"),
    "rows are inserted": Point("sqlite:INSERT", ("before", "after"), 60),
    "dead letters are written": Point("agent.store.settling:Settling._write_dead_letters"),
    "receipts are written": Point("agent.store.settling:Settling.flush"),
    "transaction is committed": Point("sqlite:COMMIT", ("before", "during", "after")),
    "batches join the transaction": Point("agent.store.spooling:Spooling.append"),
    "spool is written": Point("agent.store.spooling:Spooling.flush"),
    "positions are written": Point("agent.store.positions:Positions.flush"),
    "ledger is written": Point("agent.store.ledger:Ledger.flush"),
    "loop is told": Point("agent.store.waiting:_finish", calls=20),
    "position is safe": Point("agent.store.positions:Positions.passed", calls=40),
    # stop
    "stop is asked for": Point("agent.app.lifecycle:Agent.stop", calls=1, stops=True),
    "half batch is flushed": Point("agent.app.lifecycle:Agent._drain", calls=1, stops=True),
    "senders are hurried": Point("agent.delivery.sender:Senders.hurry", calls=1, stops=True),
    "store is closed": Point("agent.store.writer:Writer.close", calls=1, stops=True),
    "agent has ended": Point("agent.app.lifecycle:Agent.run", ("after",), 1, stops=True),
}
