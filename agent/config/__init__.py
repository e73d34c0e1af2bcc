"""What was the agent told to do? The configuration: its keys, and how they are read.

`load` and `Config` are imported on first use. A command that only needs `default_data_dir` should
not pay for them; and who only has a configuration, not for what reads one: pydantic, 100 ms and
10 MB.
"""

from typing import TYPE_CHECKING, Any

from agent.config.directories import default_data_dir

if TYPE_CHECKING:
    from agent.config.loading import load
    from agent.config.model import Config

__all__ = ["Config", "default_data_dir", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from agent.config.loading import load

        return load
    if name == "Config":
        from agent.config.model import Config

        return Config
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
