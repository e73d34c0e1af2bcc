"""How does a flow go on with other settings, while what it holds stays where it is?

Everything that may be wrong is made first, and shows then; the rest cannot fail.
"""

from dataclasses import dataclass

from agent.aep.tokens import Tokens
from agent.app import credentials, inlets, storing
from agent.app.pipeline import Pipeline, batch_limits, breaker, limit, pacing, retry_policy
from agent.config.delivery import DeliverySettings
from agent.config.flows import FlowSettings
from agent.delivery.inlet import Inlet
from agent.delivery.sender import Manner
from agent.store.spool import DiskSpool


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a flow goes on with; tokens only where those it has are not to be used any more."""

    flow: Pipeline
    before: FlowSettings
    after: FlowSettings
    inlet: Inlet
    tokens: Tokens | None

    def apply(self) -> None:
        """Let it be so. Whoever waits looks at once whether that is still necessary."""
        flow, after = self.flow, self.after
        flow.batcher.limit(batch_limits(after))
        flow.budget.resize(after.buffer.memory_limit)
        if isinstance(flow.spool, DiskSpool):
            flow.spool.resize(storing.spool_limits(after))
        if self.tokens:
            self.tokens.on_change = flow.senders.another_token
            flow.tokens = self.tokens
        flow.inlet.become(self.inlet)
        if self.before.delivery != after.delivery:
            flow.senders.change(_manner(self.before.delivery, after.delivery))
        if self.tokens:
            flow.senders.another_token()


def tuning(flow: Pipeline, before: FlowSettings, after: FlowSettings) -> Tuning:
    """Make ready what is new. Raises ConfigError for bad certificates, and secrets in files."""
    tokens = None
    if _identity(before) != _identity(after):
        tokens = credentials.tokens(after, flow.meters)
    inlet = inlets.inlet(after, tokens or flow.tokens)
    return Tuning(flow, before, after, inlet, tokens)


def _identity(flow: FlowSettings) -> tuple[object, ...]:
    """What tokens depend on."""
    inlet = flow.inlet
    if inlet.credentials is None:
        return inlet.token, inlet.token_file
    way = inlet.proxy, inlet.tls, inlet.timeouts, inlet.max_answer_bytes
    return inlet.credentials, *way, flow.delivery.retry


def _manner(before: DeliverySettings, after: DeliverySettings) -> Manner:
    """How to send: what is the same goes on with what it has learnt."""

    def differs(*keys: str) -> bool:
        return any(getattr(before, key) != getattr(after, key) for key in keys)

    rates = ("records_per_second", "requests_per_second", "bytes_per_second")
    return Manner(
        retry_policy(after),
        pacing(after) if differs(*rates) else None,
        limit(after) if differs("concurrency", "max_in_flight") else None,
        breaker(after.poison) if differs("poison") else None,
    )
