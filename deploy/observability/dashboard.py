"""What should somebody see who looks at the agents of a fleet? The Grafana dashboard, as code.

    python deploy/observability/dashboard.py > deploy/observability/dashboard.json

writes it anew; `dashboard.json` is what to import into Grafana (10 or newer). It needs
grafana-foundation-sdk, which is among the development dependencies.
"""

import sys

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableHide,
    VariableRefresh,
)
from panels import (
    SOURCE,
    WIDTH,
    Panel,
    chart,
    increase,
    most,
    number,
    of_the_process,
    quantile,
    rate,
    states,
    total,
)

# From what matters at three in the morning down to what explains it: a title, how many panels stand
# side by side, and the panels.
ROWS: list[tuple[str, int, list[Panel]]] = [
    (
        "Is all well?",
        4,
        [
            number(
                "Records without a known outcome",
                "0, or the books are wrong: run `aep-agent audit`.",
                total("ledger_residue_records"),
                bad_from=1,
            ),
            number(
                "Dropped in this time",
                "Given up, where the configuration says so; these records are lost.",
                increase("pipeline_dropped_records_total"),
                bad_from=1,
            ),
            number(
                "Dead letters in this time",
                "Kept with their bytes and the reason: `aep-agent dead-letters list`.",
                increase("pipeline_dead_lettered_records_total"),
                bad_from=1,
                colour="orange",
            ),
            number(
                "Oldest record held",
                "How long the record that waits longest has waited.",
                most("buffer_oldest_held_seconds"),
                bad_from=900,
                unit="s",
            ),
        ],
    ),
    (
        "Does it get through?",
        1,
        [
            states(
                "Destination",
                "ready, or why nothing gets through; /status says what to do about it.",
                most("destination_state", by="state"),
            )
        ],
    ),
    (
        "In and out",
        2,
        [
            chart(
                "Records a second",
                "Read, and what became of them.",
                "cps",
                rate("pipeline_read_records_total", "read"),
                rate("pipeline_accepted_records_total", "accepted"),
                rate("pipeline_dead_lettered_records_total", "dead-lettered"),
                rate("pipeline_filtered_records_total", "filtered"),
            ),
            chart(
                "Receive lag",
                "From reading a record here to the platform having it. Points are exemplars:"
                " records with their xactionId, to look up by `aep-agent receipts find`.",
                "s",
                quantile(0.5, "delivery_receive_lag_seconds", "half are faster"),
                quantile(0.99, "delivery_receive_lag_seconds", "99 of 100 are faster"),
                exemplars=True,
            ),
            chart(
                "Bytes a second",
                "Read; encoded, before compression; and as sent.",
                "Bps",
                rate("pipeline_read_bytes_total", "read"),
                rate("batcher_body_bytes_total", by="form"),
            ),
            chart(
                "Dead letters a second, by reason",
                "None of them is lost: each can be shown, exported and replayed.",
                "cps",
                rate("pipeline_dead_lettered_records_total", by="reason"),
                stacked=True,
            ),
        ],
    ),
    (
        "The platform",
        3,
        [
            chart(
                "Requests a second, by status",
                '"none" is no answer at all.',
                "reqps",
                rate("delivery_requests_total", by="status"),
                stacked=True,
            ),
            chart(
                "Requests under way, and how many may be",
                "The limit follows latency and pushback.",
                "short",
                total("delivery_in_flight_requests", "under way"),
                total("delivery_limit_requests", "limit"),
            ),
            chart(
                "Part of the time spent waiting",
                "Throttled: the platform asked to. Paced: the configured rates say so.",
                "percentunit",
                rate("delivery_throttled_seconds_total", "throttled"),
                rate("delivery_paced_seconds_total", "paced"),
            ),
        ],
    ),
    (
        "What waits here",
        3,
        [
            chart(
                "Buffer",
                "Bytes between reading and answer. At the limit, reading waits.",
                "bytes",
                total("buffer_held_bytes", "held"),
                total("buffer_limit_bytes", "limit"),
            ),
            chart(
                "Records held",
                "Read and not yet answered for.",
                "short",
                total("pipeline_held_records", by="instance"),
            ),
            chart(
                "Commit to the store",
                "Sync included: a slow disk shows here.",
                "s",
                quantile(0.99, "store_commit_seconds", "99 of 100 are faster"),
            ),
        ],
    ),
    (
        "Sources",
        4,
        [
            chart(
                "Bytes of files not read yet",
                "How far reading is behind those who write.",
                "bytes",
                total("file_lag_bytes", by="source"),
            ),
            chart(
                "Open connections",
                "Of tcp and unix sources.",
                "short",
                total("source_open_connections", by="source"),
            ),
            chart(
                "Part of the time sources wait",
                "Because the buffer has no room.",
                "percentunit",
                rate("source_pressure_seconds_total", by="source"),
            ),
            chart(
                "Lost before they were read",
                "Datagrams the kernel dropped, and bytes of files that were cut.",
                "short",
                rate("source_dropped_datagrams_total", "{{source}} datagrams/s", by="source"),
                rate("file_lost_bytes_total", "{{source}} bytes/s", by="source"),
            ),
        ],
    ),
    (
        "The process",
        4,
        [
            chart("CPU", "Cores in use.", "short", of_the_process("cpu_seconds_total")),
            chart("Memory", "Resident.", "bytes", of_the_process("resident_memory_bytes")),
            chart("Open files", "Descriptors.", "short", of_the_process("open_fds")),
            chart(
                "Event loop lag",
                "Above half a second, the process does not get the CPU it needs.",
                "s",
                most("loop_lag_seconds", by="instance"),
            ),
        ],
    ),
]


def built() -> str:
    """The dashboard as JSON."""
    page = (
        dashboard.Dashboard("aep-agent")
        .uid("aep-agent")
        .description("Records on their way into Adobe Experience Platform, and what waits and why.")
        .tags(["aep-agent"])
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
        .with_variable(_variable("job", "aep_agent_build_info"))
        .with_variable(_variable("instance", 'aep_agent_build_info{job=~"$job"}'))
    )
    for title, side_by_side, panels in ROWS:
        page = page.with_row(dashboard.Row(title))
        for panel in panels:
            page = page.with_panel(panel.span(WIDTH // side_by_side))
    return JSONEncoder(sort_keys=True, indent=2).encode(page.build())


def _variable(name: str, series: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .query(f"label_values({series}, {name})")
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .hide(VariableHide.DONT_HIDE)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


if __name__ == "__main__":
    sys.stdout.write(built() + "\n")
