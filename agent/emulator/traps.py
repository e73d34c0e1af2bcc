"""Which traps of the platform are set: what it does silently, or only sometimes, to good records?

Each is a value that can be chosen at start (`--trap warm_up=300`) and changed while the emulator
runs (PUT /_emulator/traps with some of them); null where it says so switches one off. Unlike
faults, which break an answer, these belong to the platform as it is documented.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
import yaml

from agent.errors import ConfigError

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=31_536_000)]
_Count = Annotated[int, msgspec.Meta(ge=0)]

DESCRIPTIONS = {
    "warm_up": "seconds after a flow was made or changed in which what it accepts is lost silently",
    "schema_cache": "seconds for which changed schemas and mappings are not seen; Adobe: 900",
    "event_bytes": "longest event that Profile takes; longer ones only land; 0: any",
    "profile_bytes": "longest record that Profile takes; longer ones only land; 0: any",
    "capacity": "records a second that the organisation bought; more are skipped; 0: any; "
    "Adobe: 1500",
    "capacity_window": "seconds over which capacity is reckoned; Adobe: 900",
    "requests_per_second": "more requests to the inlets are answered 429; 0: any; Adobe: 1000",
    "retry_after": "seconds that the Retry-After of such a 429 names; null: none, as Adobe",
    "sync_validations": "requests a minute and inlet with syncValidation; more are answered 429",
    "sync_validation_here": "false: syncValidation is answered 501, as outside one data centre",
    "allow": "networks whose requests the inlets take; others get a 403 without a body; null: all",
    "dialect": "how the answers to a batch are written",
    "token_life": "seconds for which tokens issued from now on are good",
}


class Traps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The traps that are set. What they mean is in DESCRIPTIONS."""

    warm_up: _Seconds = 0.0
    schema_cache: _Seconds = 0.0
    event_bytes: _Count = 10_000
    profile_bytes: _Count = 100_000
    capacity: _Count = 0
    capacity_window: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 900.0
    requests_per_second: _Count = 0
    retry_after: _Seconds | None = None
    sync_validations: _Count = 60
    sync_validation_here: bool = True
    allow: list[str] | None = None
    dialect: Literal["documented", "observed"] = "documented"
    token_life: Annotated[float, msgspec.Meta(gt=0, le=10_000_000)] = 86_399.0

    def admits(self, address: str | None) -> bool:
        """Whether requests from this address are taken."""
        if self.allow is None:
            return True
        try:
            here = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return any(here in ipaddress.ip_network(each, strict=False) for each in self.allow)


def changed(traps: Traps, some: Mapping[str, Any]) -> Traps:
    """The traps with some of them set anew. Raises ConfigError that says what can be written."""
    unknown = set(some) - set(Traps.__struct_fields__)
    if unknown:
        names = ", ".join(Traps.__struct_fields__)
        raise ConfigError(f"{sorted(unknown)[0]!r} is not known; there are {names}")
    wanted = msgspec.structs.asdict(traps) | dict(some)
    if isinstance(wanted["allow"], str):
        wanted["allow"] = [wanted["allow"]]
    try:
        made = msgspec.convert(wanted, Traps)
        made.admits("::1")  # which reads the networks
    except ValueError as error:  # msgspec.ValidationError is one, too
        raise ConfigError(str(error)) from None
    return made


def parse_lines(lines: Iterable[str]) -> dict[str, Any]:
    """What `--trap NAME=VALUE` says, each line one of them. Raises ConfigError."""
    some: dict[str, Any] = {}
    for line in lines:
        name, separator, value = line.partition("=")
        if not separator:
            raise ConfigError(f"--trap: found {line!r}; write NAME=VALUE, such as warm_up=300")
        try:
            some[name.strip().replace("-", "_")] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--trap {name}: {value!r} cannot be read as a value") from None
    return some


def as_json(traps: Traps) -> dict[str, Any]:
    """What /_emulator/traps answers: `traps` as they are set, and `meanings` of each."""
    return {"traps": msgspec.structs.asdict(traps), "meanings": DESCRIPTIONS}
