"""What does the agent count? One table of all its metrics, cheap enough for the hot path.

Nothing here knows how metrics are exposed: `agent.telemetry.prometheus` reads this table when it
is scraped, so a run that nobody scrapes never imports an exposition library.
"""

import platform
import time
from collections.abc import Iterator
from typing import NamedTuple

from agent import __version__
from agent.core.destination import STATES
from agent.telemetry.instruments import Counter, Gauge, Histogram, Labels

_SHORT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAG_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400)
_RECORDS = (1, 5, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
_BYTES = (1e3, 5e3, 1e4, 5e4, 1e5, 2.5e5, 5e5, 7.5e5, 1e6, 1e7, 1e8)


_OF_THE_PROCESS = (
    *("ledger_records", "ledger_residue", "store_commits", "store_commit_seconds"),
    *("loop_lag_seconds", "loop_tasks", "start_time_seconds", "build_info"),
    *("reloads", "reload_successful"),
)


class MetricRow(NamedTuple):
    """How one metric is declared: for documentation and for tests."""

    name: str
    kind: str
    help: str
    labels: Labels


class Meters:
    """All metrics of one flow and of the process, one attribute each; `table()` lists them."""

    def __init__(self, beside: "Meters | None" = None) -> None:
        """*beside* are those of another flow: what is counted of the process is counted once."""
        self._declare_ledger()
        self._declare_sockets()
        self._declare_pushes()
        self._declare_files()
        self._declare_batcher()
        self._declare_delivery()
        self._declare_credentials()
        self._declare_buffer()
        self._declare_store()
        self._declare_agent()
        for name in _OF_THE_PROCESS if beside else ():
            setattr(self, name, getattr(beside, name))

    def table(self) -> Iterator[MetricRow]:
        """How each metric is declared, in the order of the journey of a record."""
        for metric in self.metrics():
            yield MetricRow(metric.name, metric.kind, metric.help, metric.labels)

    def metrics(self) -> Iterator[Counter | Gauge | Histogram]:
        """Every metric, in the order of the journey of a record."""
        yield from (m for m in vars(self).values() if isinstance(m, Counter | Gauge | Histogram))

    def of_process(self) -> Iterator[Counter | Gauge | Histogram]:
        """Those that are the same for all flows."""
        yield from (getattr(self, name) for name in _OF_THE_PROCESS)

    def source_gone(self, name: str) -> None:
        """Tell no more how a source stands; what was counted of it is kept."""
        for metric in self.metrics():
            if isinstance(metric, Gauge) and metric.labels == ("source",):
                metric.forget(name)

    def destination_is(self, *states: str) -> None:
        """The destination is in these states (of `STATES`), and in no other."""
        unknown = set(states) - set(STATES)
        if unknown:
            raise ValueError(f"no such destination state: {', '.join(sorted(unknown))}")
        for state in STATES:
            self.destination_state.set(int(state in states), state)

    def _declare_ledger(self) -> None:
        """Read + recovered = accepted + dead-lettered + filtered + dropped + held, always."""
        ledger = "aep_agent_pipeline_"
        self.records_read = Counter(
            ledger + "read_records_total", "Records read from sources.", "source"
        )
        self.records_recovered = Counter(
            ledger + "recovered_records_total", "Records found in the spool at the start."
        )
        self.bytes_read = Counter(
            ledger + "read_bytes_total", "Bytes read from sources, line ends included.", "source"
        )
        self.records_accepted = Counter(
            ledger + "accepted_records_total",
            "Records the platform took charge of, each with an xactionId; landing comes later.",
        )
        self.records_dead_lettered = Counter(
            ledger + "dead_lettered_records_total", "Records kept as dead letters.", "reason"
        )
        self.records_filtered = Counter(
            ledger + "filtered_records_total",
            "Records left out because the configuration says so.",
            "source",
            "filter",
        )
        self.records_dropped = Counter(
            ledger + "dropped_records_total", "Records given up, where that was chosen.", "reason"
        )
        self.records_held = Gauge(
            ledger + "held_records", "Records read and not yet answered for in any way."
        )
        self.records_held.read_from(self._held)
        self.source_pressure_seconds = Counter(
            "aep_agent_source_pressure_seconds_total",
            "Time a source waited because the buffer had no room.",
            "source",
        )

    def _declare_sockets(self) -> None:
        part = "aep_agent_source_"
        self.connections_open = Gauge(
            part + "open_connections", "Connections that clients have open now.", "source"
        )
        self.connections_accepted = Counter(
            part + "accepted_connections_total", "Connections that were accepted.", "source"
        )
        self.connections_refused = Counter(
            part + "refused_connections_total",
            "Connections that were closed before anything was read.",
            "source",
            "reason",
        )
        self.connections_closed = Counter(
            part + "closed_connections_total",
            "Connections that ended: peer, reset, idle, unfinished, memory, framing, tls, stop.",
            "source",
            "reason",
        )
        self.datagrams_dropped = Counter(
            part + "dropped_datagrams_total",
            "Datagrams that the kernel dropped unread; whatever was in them is not in the ledger.",
            "source",
        )

    def _declare_pushes(self) -> None:
        part = "aep_agent_push_"
        self.push_requests = Counter(
            part + "requests_total",
            'Requests to http sources by status of the answer; "none" where the client had gone.',
            "source",
            "status",
        )
        self.push_answer_seconds = Histogram(
            part + "answer_seconds",
            "Time from the head of a pushed request to its answer.",
            buckets=_REQUEST_SECONDS,
        )
        self.push_waiting = Gauge(
            part + "waiting_requests", "Pushed requests that wait to be answered.", "source"
        )

    def _declare_files(self) -> None:
        part = "aep_agent_file_"
        self.file_lag_bytes = Gauge(
            part + "lag_bytes", "Bytes of followed files that were not read yet.", "source"
        )
        self.files_followed = Gauge(part + "followed_files", "Files that are followed.", "source")
        self.files_open = Gauge(part + "open_files", "Files of these that are open.", "source")
        self.files_rotated = Counter(
            part + "rotated_files_total", "Files that were renamed or removed.", "source"
        )
        self.files_truncated = Counter(
            part + "truncated_files_total", "Files that were cut while they were read.", "source"
        )
        self.file_lost_bytes = Counter(
            part + "lost_bytes_total",
            "Bytes that went with a file before they were read, as far as is known.",
            "source",
            "cause",
        )
        self.file_skipped_bytes = Counter(
            part + "skipped_bytes_total",
            "NUL bytes passed over where lines begin, as in files that were cut.",
            "source",
        )

    def _declare_batcher(self) -> None:
        part = "aep_agent_batcher_"
        self.batches_encoded = Counter(part + "encoded_batches_total", "Batches encoded.")
        self.batch_records = Histogram(
            part + "batch_records", "Records per batch.", buckets=_RECORDS
        )
        self.batch_bytes = Histogram(
            part + "batch_bytes", "Bytes per batch before compression.", buckets=_BYTES
        )
        self.body_bytes = Counter(
            part + "body_bytes_total",
            "Bytes of encoded bodies: plain before compression, wire as sent.",
            "form",
        )
        for form in ("plain", "wire"):
            self.body_bytes.add(0, form)

    def _declare_delivery(self) -> None:
        part = "aep_agent_delivery_"
        self.requests = Counter(
            part + "requests_total",
            'Requests by status of the answer; "none" where no answer came.',
            "status",
        )
        self.request_seconds = Histogram(
            part + "request_seconds",
            "Time from sending a request to having read its answer.",
            buckets=_REQUEST_SECONDS,
        )
        self.receive_lag_seconds = Histogram(
            part + "receive_lag_seconds",
            "Per record, the platform's receivedTimeMs minus the time it was read here.",
            buckets=_LAG_SECONDS,
        )
        self.xaction_ids_received = Counter(
            part + "xaction_ids_total", "Ids the platform gave to accepted records."
        )
        self.retries = Counter(part + "retries_total", "Batches to be tried again.", "reason")
        self.throttled_seconds = Counter(
            part + "throttled_seconds_total", "Time spent waiting because the platform asked to."
        )
        self.paced_seconds = Counter(
            part + "paced_seconds_total",
            "Time senders spent waiting to stay within the configured rates.",
        )
        self.requests_in_flight = Gauge(
            part + "in_flight_requests", "Requests sent and not yet answered."
        )
        self.requests_limit = Gauge(
            part + "limit_requests", "Requests allowed in flight at this moment."
        )
        self.compression_enabled = Gauge(
            part + "compression_enabled", "1 while bodies are sent compressed, else 0."
        )
        self.destination_state = Gauge(
            "aep_agent_destination_state",
            "1 for each state the destination is in, else 0.",
            "state",
        )
        self.destination_is()

    def _declare_credentials(self) -> None:
        part = "aep_agent_credentials_"
        self.token_requests = Counter(
            part + "token_requests_total",
            "Requests for a token: issued, refused, unusable (no token in it), unavailable.",
            "outcome",
        )
        for outcome in ("issued", "refused", "unusable", "unavailable"):
            self.token_requests.add(0, outcome)
        self.token_expires_seconds = Gauge(
            part + "token_expires_seconds",
            "Life left of the token that was issued; 0 without inlet.credentials.",
        )

    def _declare_buffer(self) -> None:
        part = "aep_agent_buffer_"
        self.buffer_bytes = Gauge(part + "held_bytes", "Bytes held between reading and answer.")
        self.buffer_limit_bytes = Gauge(part + "limit_bytes", "Bytes that may be held at most.")
        self.buffer_batches = Gauge(part + "held_batches", "Batches waiting or in flight.")
        self.oldest_held_seconds = Gauge(
            part + "oldest_held_seconds", "Age of the oldest record not yet answered for."
        )

    def _declare_store(self) -> None:
        self.ledger_records = Gauge(
            "aep_agent_ledger_records",
            "Records since the store was begun, over all runs, by what became of them.",
            "entry",
        )
        self.ledger_residue = Gauge(
            "aep_agent_ledger_residue_records",
            "Records read of which the store knows no outcome: 0, or the books are wrong.",
        )
        self.store_commits = Counter("aep_agent_store_commits_total", "Commits to the store.")
        self.store_commit_seconds = Histogram(
            "aep_agent_store_commit_seconds",
            "Time a commit to the store took, sync included.",
            buckets=_SHORT_SECONDS,
        )

    def _declare_agent(self) -> None:
        self.loop_lag_seconds = Gauge(
            "aep_agent_loop_lag_seconds", "Worst recent delay of the event loop."
        )
        self.loop_tasks = Gauge("aep_agent_loop_tasks", "Tasks that the event loop has now.")
        self.start_time_seconds = Gauge(
            "aep_agent_start_time_seconds", "When the agent started, in seconds since 1970."
        )
        self.start_time_seconds.set(time.time())
        self.reloads = Counter(
            "aep_agent_reloads_total",
            "Times the configuration was read again: applied, unchanged, or refused as wrong.",
            "outcome",
        )
        for outcome in ("applied", "unchanged", "refused"):
            self.reloads.add(0, outcome)
        self.reload_successful = Gauge(
            "aep_agent_last_reload_successful",
            "1 where the configuration in use is the one that was read last, else 0.",
        )
        self.reload_successful.set(1)
        self.build_info = Gauge(
            "aep_agent_build_info", "Always 1; which build is running.", "version", "python"
        )
        self.build_info.set(1, __version__, platform.python_version())

    def _held(self) -> float:
        settled = (
            self.records_accepted,
            self.records_dead_lettered,
            self.records_filtered,
            self.records_dropped,
        )
        taken = self.records_read.total() + self.records_recovered.total()
        return taken - sum(counter.total() for counter in settled)
