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
CHOSEN = 'job=~"$job", instance=~"$instance"'
WIDTH, HALF, THIRD, QUARTER, HEIGHT = 24, 12, 8, 6, 8

Target = tuple[str, str]  # a query, and what its series are called
Panel = timeseries.Panel | stat.Panel | statetimeline.Panel


def total(metric: str, by: str = "") -> str:
    return f"sum{_by(by)} (aep_agent_{metric}{{{CHOSEN}}})"


def most(metric: str, by: str = "") -> str:
    return f"max{_by(by)} (aep_agent_{metric}{{{CHOSEN}}})"


def rate(metric: str, by: str = "") -> str:
    return f"sum{_by(by)} (rate(aep_agent_{metric}{{{CHOSEN}}}[$__rate_interval]))"


def increase(metric: str) -> str:
    return f"sum(increase(aep_agent_{metric}{{{CHOSEN}}}[$__range])) or vector(0)"


def quantile(part: float, metric: str) -> str:
    return f"histogram_quantile({part}, {rate(metric + '_bucket', by='le')})"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""


def number(
    title: str, query: str, why: str, *, bad_from: float, unit: str = "short", colour: str = "red"
) -> stat.Panel:
    steps = [Threshold(value=None, color="green"), Threshold(value=bad_from, color=colour)]
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    return (
        stat.Panel()
        .title(title)
        .description(why)
        .datasource(SOURCE)
        .with_target(_target((query, "")))
        .unit(unit)
        .decimals(0)
        .thresholds(thresholds)
        .height(4)
        .span(QUARTER)
    )


def states() -> statetimeline.Panel:
    """A band for each state that the destination is in, the good one and the others."""
    query = f"max by (state) (aep_agent_destination_state{{{CHOSEN}}})"
    return (
        statetimeline.Panel()
        .title("Destination")
        .description("ready, or why nothing gets through; /status says what to do about it.")
        .datasource(SOURCE)
        .with_target(_target((query, "{{state}}")))
        .override_by_name("ready", [_fixed("green")])
        .thresholds(
            dashboard.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value=None, color="transparent"), Threshold(value=1, color="red")])
        )
        .height(HEIGHT)
        .span(WIDTH)
    )


def _fixed(colour: str) -> DynamicConfigValue:
    steps = [{"value": None, "color": "transparent"}, {"value": 1, "color": colour}]
    return DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": steps})


def chart(
    title: str,
    why: str,
    unit: str,
    *targets: Target,
    stacked: bool = False,
    width: int = HALF,
    exemplars: bool = False,
) -> timeseries.Panel:
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
        .span(width)
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for letter, target in zip("ABCDEF", targets, strict=False):
        panel = panel.with_target(_target(target, letter).exemplar(exemplars))
    return panel


def _target(target: Target, letter: str = "A") -> prometheus.Dataquery:
    query, name = target
    return prometheus.Dataquery().expr(query).legend_format(name).ref_id(letter)
