"""How does a panel of the dashboard look, and how is a metric asked for?"""

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    GraphGradientMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH, HEIGHT = 24, 8
_CHOSEN = 'job=~"$job", instance=~"$instance"'

Target = tuple[
    str, str
]  # a query, and what its series are called: by *name*, or what they are *by*
Panel = timeseries.Panel | stat.Panel | statetimeline.Panel


def total(metric: str, name: str = "", by: str = "") -> Target:
    """Of a gauge, over all agents."""
    return f"sum{_by(by)} ({_series(metric)})", _called(name, by)


def most(metric: str, name: str = "", by: str = "") -> Target:
    """Of a gauge, the highest of any agent."""
    return f"max{_by(by)} ({_series(metric)})", _called(name, by)


def rate(metric: str, name: str = "", by: str = "") -> Target:
    """Of a counter, a second."""
    return _rate(metric, by), _called(name, by)


def increase(metric: str) -> Target:
    """Of a counter, in the time that is shown; 0 where there is none."""
    return f"sum(increase({_series(metric)}[$__range])) or vector(0)", ""


def quantile(part: float, metric: str, name: str) -> Target:
    """Of a histogram."""
    return f"histogram_quantile({part}, {_rate(metric + '_bucket', by='le')})", name


def of_the_process(metric: str) -> Target:
    """What Prometheus' client says of each agent's process."""
    series = f"process_{metric}{{{_CHOSEN}}}"
    if metric.endswith("_total"):
        series = f"sum by (instance) (rate({series}[$__rate_interval]))"
    return series, "{{instance}}"


def _rate(metric: str, by: str) -> str:
    return f"sum{_by(by)} (rate({_series(metric)}[$__rate_interval]))"


def _series(metric: str) -> str:
    return f"aep_agent_{metric}{{{_CHOSEN}}}"


def _by(label: str) -> str:
    return f" by ({label})" if label else ""


def _called(name: str, by: str) -> str:
    return name or (f"{{{{{by}}}}}" if by else "")


def number(
    title: str,
    why: str,
    target: Target,
    *,
    bad_from: float,
    unit: str = "short",
    colour: str = "red",
) -> stat.Panel:
    """One number, coloured once it is bad."""
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .with_target(_asked(target))
        .unit(unit)
        .decimals(0)
        .thresholds(_colours("green", bad_from, colour))
        .height(HEIGHT // 2)
    )


def states(title: str, why: str, target: Target) -> statetimeline.Panel:
    """A band for each state, the one called ready and the others."""
    when_ready = {"mode": "absolute", "steps": [_step(None, "transparent"), _step(1, "green")]}
    return (
        statetimeline.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .with_target(_asked(target))
        .override_by_name("ready", [DynamicConfigValue(id_val="thresholds", value=when_ready)])
        .thresholds(_colours("transparent", 1, "red"))
        .height(HEIGHT)
    )


def chart(
    title: str,
    why: str,
    unit: str,
    *targets: Target,
    stacked: bool = False,
    exemplars: bool = False,
) -> timeseries.Panel:
    """Lines over time; *unit* is one of Grafana's."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .line_width(2)
        .fill_opacity(25 if stacked else 8)
        .gradient_mode(GraphGradientMode.OPACITY)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .height(HEIGHT)
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for letter, target in zip("ABCDEF", targets, strict=False):
        panel = panel.with_target(_asked(target, letter).exemplar(exemplars))
    return panel


def _asked(target: Target, letter: str = "A") -> prometheus.Dataquery:
    query, name = target
    return prometheus.Dataquery().expr(query).legend_format(name).ref_id(letter)


def _colours(below: str, bad_from: float, colour: str) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value=None, color=below), Threshold(value=bad_from, color=colour)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _step(value: float | None, colour: str) -> dict[str, object]:
    return {"value": value, "color": colour}
