"""How are requests sent, how often, and again after which pauses?"""

from typing import Annotated, Literal

from agent.config.quantities import Duration, Share, Size, Whole
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong


class RetrySettings(Section):
    """delivery.retry: pauses between attempts; there is no last attempt."""

    initial: Annotated[float, Duration("1ms", "1h")] = setting(
        default=0.5,
        description="Longest first pause; each pause is a random part of it, doubling each time.",
        examples=["500ms"],
    )
    max: Annotated[float, Duration("1ms", "1d")] = setting(
        default=60.0,
        description="Longest pause of all; 60s finds out within a minute that an outage is over.",
        examples=["60s"],
        validate_default=True,
    )

    @checks("max")
    @classmethod
    def _max_is_longest(cls, longest: float, info: SoFar) -> float:
        if longest < info.data.get("initial", 0.0):
            raise Wrong("a pause that is at least as long as delivery.retry.initial")
        return longest


class PoisonSettings(Section):
    """delivery.poison: when refused records are held because most of them are refused."""

    share: Annotated[float, Share("0.01", "1")] = setting(
        default=0.5,
        description="Part of the last verdicts; when so many are refusals, none is dead-lettered"
        " and the state is schema_changed; 1 dead-letters whatever is refused.",
        examples=[0.5],
    )
    least: Annotated[int, Whole("1", "1000000")] = setting(
        default=100,
        description="Verdicts that it takes to tell: fewer records are dead-lettered if refused.",
        examples=[100],
    )
    window: Annotated[int, Whole("1", "1000000")] = setting(
        default=1000,
        description="How many of the last verdicts count; at least delivery.poison.least.",
        examples=[1000],
        validate_default=True,
    )

    @checks("window")
    @classmethod
    def _window_holds_least(cls, window: int, info: SoFar) -> int:
        if window < info.data.get("least", 0):
            raise Wrong("a number that is at least delivery.poison.least")
        return window


class DeliverySettings(Section):
    """delivery: how requests are sent."""

    concurrency: Literal["adaptive", "fixed"] = setting(
        default="adaptive",
        description="adaptive sends as many requests at once as the inlet answers without delay.",
    )
    max_in_flight: Annotated[int, Whole("1", "256")] = setting(
        default=32,
        description="Requests awaiting an answer at most; with fixed concurrency, exactly so many.",
        examples=[32],
    )
    records_per_second: Annotated[int | None, Whole("1", "10000000", optional=True)] = setting(
        default=None,
        description="Records sent in a second on average at most; unset sends as fast as it goes.",
        examples=[1500],
    )
    requests_per_second: Annotated[int | None, Whole("1", "100000", optional=True)] = setting(
        default=None,
        description="Requests sent in a second on average at most; unset sets no limit.",
        examples=[10],
    )
    bytes_per_second: Annotated[int | None, Size("1KB", "100GB", optional=True)] = setting(
        default=None,
        description="Bytes of bodies sent in a second on average at most, as compressed; or unset.",
        examples=["1MB"],
    )
    retry: RetrySettings = setting(
        default_factory=RetrySettings, description="Pauses between attempts."
    )
    poison: PoisonSettings = setting(
        default_factory=PoisonSettings,
        description="When refused records are held because most of them are refused.",
    )
