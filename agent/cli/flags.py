"""What do the flags of a command say, by the keys of the configuration?"""

import argparse

from agent.errors import ConfigError


def overrides(args: argparse.Namespace) -> dict[str, object]:
    """What the flags say, by configuration key; None where a flag was not given."""
    chosen: dict[str, object] = {
        "inlet.url": getattr(args, "inlet_url", None),
        "inlet.flow_id": getattr(args, "flow_id", None),
        "inlet.compression": getattr(args, "compression", None),
        "data_dir": args.data_dir,
    }
    for assignment in args.set:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: write KEY=VALUE, such as batch.max_wait=100ms")
        chosen[key.strip()] = value
    return chosen
