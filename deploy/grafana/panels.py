"""What all dashboards are made of: panels over one Prometheus, chosen by a variable."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.common import BigValueGraphMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
Panel = Stat | Timeseries
Queries = str | Mapping[str, str]


def dashboard(name: str, title: str, description: str, panels: list[Panel]) -> Dashboard:
    """A dashboard whose address ends in `name`."""
    board = (
        Dashboard(f"Examhall: {title}")
        .uid(f"examhall-{name}")
        .description(description)
        .tags(["examhall"])
        .readonly()
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for panel_id, panel in enumerate(panels, start=1):
        board.with_panel(panel.id(panel_id))
    return board


def number(title: str, query: str, unit: str = "short", *, about: str = "") -> Stat:
    """One figure, a quarter of the width."""
    panel = Stat().title(title).description(about).unit(unit).datasource(PROMETHEUS).span(6).height(5)
    return panel.graph_mode(BigValueGraphMode.AREA).with_target(_target("A", query, title))


def graph(title: str, queries: Queries, unit: str = "short", *, about: str = "") -> Timeseries:
    """Curves over half the width; `queries` by legend (which may hold `{{label}}`), or one query."""
    legend = VizLegendOptions().show_legend(True).placement(LegendPlacement.BOTTOM)
    panel = Timeseries().title(title).description(about).unit(unit).datasource(PROMETHEUS).span(12).height(8)
    panel.min(0).fill_opacity(10).legend(legend.display_mode(LegendDisplayMode.LIST))
    named = {title: queries} if isinstance(queries, str) else queries
    for letter, (legend_format, query) in zip("ABCDEF", named.items(), strict=False):
        panel.with_target(_target(letter, query, legend_format))
    return panel


def of_rpc(series: str) -> str:
    """The series with the gRPC service's name as `rpc`.

    Calls have it as `service`. In a cluster that label names the process, and Prometheus calls theirs
    `exported_service`.
    """
    named = f'label_replace({series}, "rpc", "$1", "service", ".*[.](.+)")'
    return f'label_replace({named}, "rpc", "$1", "exported_service", ".*[.](.+)")'


def of_process(series: str) -> str:
    """The series with the program's name as `service`: a scrape on one machine knows only addresses."""
    return f"{series} * on (job, instance) group_left (service) examhall_build_info"


def _target(letter: str, query: str, legend: str) -> Dataquery:
    return Dataquery().ref_id(letter).expr(query).legend_format(legend).range().datasource(PROMETHEUS)
