"""What do all routes of one emulator share?"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.emulator import queries
from agent.emulator.admission import Admission
from agent.emulator.arrivals import Arrivals
from agent.emulator.compiling import compiler
from agent.emulator.counts import Counts
from agent.emulator.data_plane import DataPlane
from agent.emulator.faults import Faults, Script
from agent.emulator.inlets import Inlets
from agent.emulator.issued_tokens import IssuedTokens
from agent.emulator.judges import Judges
from agent.emulator.losses import Losses
from agent.emulator.options import EmulatorOptions
from agent.emulator.platform import Platform
from agent.emulator.rules import parse_script, parse_text
from agent.emulator.schemas.registry import Registry, standard_library
from agent.emulator.traffic import Traffic
from agent.emulator.traps import Traps, changed

WrittenScript = str | bytes | Mapping[str, Any] | Sequence[Any] | Script


class State:
    """The options, the records, the platform's objects, the numbers and the faults at work."""

    def __init__(self, options: EmulatorOptions, arrivals: Arrivals, faults: Script) -> None:
        self.options = options
        self.arrivals = arrivals
        self.platform = Platform(options.directory)
        self.registry = Registry(self.platform, standard_library(options.components))
        self.inlets = Inlets(options, self.platform)
        self.counts = Counts()
        self.traffic = Traffic(arrivals, options.inlet_id)
        self.faults = Faults(faults)
        self.issued = IssuedTokens(options)
        self.traps = Traps(dialect=options.dialect, token_life=options.token_life)
        self.set_traps(options.traps)
        self.admission = Admission(lambda: self.traps)
        self.losses = Losses(lambda: self.traps)
        self.judges = Judges(self.platform, compiler(self.platform, self.registry))
        self.data_plane = DataPlane(
            arrivals,
            self.platform,
            self.judges,
            lambda: self.traps,
            None if options.directory is None else options.directory / "data_plane",
        )

    def set_faults(self, script: WrittenScript) -> None:
        """Put a script to work in place of the present one; its counts start at zero.

        It may be text (YAML or JSON), what such text holds, or a Script. Raises ConfigError, and
        then the present one stays.
        """
        if isinstance(script, str | bytes):
            script = parse_text(script)
        elif not isinstance(script, Script):
            script = parse_script(script if isinstance(script, Mapping) else list(script))
        self.faults = Faults(script)

    def set_traps(self, some: Mapping[str, Any]) -> None:
        """Set some traps anew. Raises ConfigError, and then all stay as they are."""
        self.traps = changed(self.traps, some)
        self.issued.life = self.traps.token_life

    async def write_parquet(self) -> None:
        """Write datasets as Parquet, where they are kept and DuckDB is there.

        Raises QueryRefused: some could not be written; the old files are then gone, too.
        """
        if self.options.directory is None or not queries.is_installed():
            return
        for rows, parquet in self.data_plane.datasets.parquet_due():
            fresh = parquet.with_suffix(".new")
            try:
                await queries.write_parquet(rows, fresh)
                fresh.replace(parquet)
            except queries.QueryRefused:
                parquet.unlink(missing_ok=True)
                raise
            finally:
                fresh.unlink(missing_ok=True)

    def close(self) -> None:
        """End the data plane, and close the files. What is in a directory stays there."""
        self.data_plane.close()
        self.arrivals.close()
        self.platform.close()

    def stats(self) -> dict[str, Any]:
        """What /_emulator/stats answers."""
        tokens = {"tokens": self.issued.as_json()} if self.options.client_id is not None else {}
        return {**self.counts.as_json(), **tokens, "faults": self.faults.hits()}

    def forget_records(self) -> None:
        """Forget every accepted and refused record, and what was counted of them."""
        self.data_plane.forget()
        self.counts.forget_records()
