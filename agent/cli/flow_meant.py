"""Which flow of the platform is meant on the command line, and how is the platform reached?"""

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.aep.discovery import Wanted
    from agent.config.flows import FlowSettings
    from agent.config.model import Config
    from agent.config.platform import PlatformSettings

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHERE_THE_INLET_IS = ("AEP_INLET_URL", "AEP_FLOW_ID")


class Meant(NamedTuple):
    """A flow of the platform, and what the configuration says of it."""

    platform: "PlatformSettings"
    wanted: "Wanted"
    config: "Config"
    name: str | None  # of the flow in the configuration, empty where it has none; None: of no one
    settings: "FlowSettings"


def add_flow(parser: argparse.ArgumentParser) -> None:
    """The flags that say which flow."""
    parser.add_argument(
        "--flow",
        metavar="NAME|ID",
        help="the flow on the platform, or its name in the configuration (else the only one there)",
    )
    parser.add_argument(
        "--config", "-c", metavar="FILE", help="configuration file with a section `platform`"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="set a configuration key, such as platform.sandbox=dev; may be repeated",
    )


def flow_meant(args: argparse.Namespace) -> Meant:
    """The flow that flags, environment and configuration mean. Raises ConfigError."""
    from agent.aep.discovery import Wanted
    from agent.config import load
    from agent.telemetry import logs

    chosen: dict[str, object] = {}
    for assignment in args.set:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: write KEY=VALUE, such as platform.sandbox=dev")
        chosen[key.strip()] = value
    wanted = None
    if args.flow:
        is_id = _ID.fullmatch(args.flow)
        wanted = Wanted(id=args.flow) if is_id else Wanted(name=args.flow)
    environ = dict(os.environ)
    if args.config is None and wanted is not None:
        for variable in _WHERE_THE_INLET_IS:
            environ.pop(variable, None)
        chosen |= {"inlet.flow": wanted.name, "inlet.flow_id": wanted.id}
        if not any(each.startswith("AEP_AGENT_PLATFORM__") for each in environ) and not any(
            key.startswith("platform.") for key in chosen
        ):
            raise _no_platform()
    config = load(Path(args.config) if args.config else None, overrides=chosen, environ=environ)
    logs.configure("warning", "auto", 0.0)
    if config.platform is None:
        raise _no_platform()
    flows = config.each_flow()
    name = _named(args.flow, flows)
    settings = flows[name] if name is not None else next(iter(flows.values()))
    if wanted is None or args.flow in flows:
        if settings.inlet.flow_id is None and settings.inlet.flow is None:
            raise ConfigError("--flow: missing; write the name or id of the flow on the platform")
        wanted = Wanted(name=settings.inlet.flow, id=settings.inlet.flow_id)
    return Meant(config.platform, wanted, config, name, settings)


def _named(meant: str | None, flows: "Mapping[str, FlowSettings]") -> str | None:
    """Which flow of the configuration it is, by its name there or on the platform."""
    for name, flow in flows.items():
        if meant is not None and meant in (name, flow.inlet.flow, flow.inlet.flow_id):
            return name
    if len(flows) == 1:
        return next(iter(flows))
    if meant is None:
        raise ConfigError(
            f"--flow: missing; the configuration has the flows {', '.join(sorted(flows))}"
        )
    return None


def _no_platform() -> ConfigError:
    return ConfigError(
        "platform: missing; write section platform, with org_id, client_id and a secret, into the"
        " configuration (--config), or set AEP_AGENT_PLATFORM__ORG_ID and so on"
    )
