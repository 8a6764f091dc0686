"""Monitoring as files: every metric they ask for exists, and every alert says what to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities import meters
from api.operations.metrics import Metrics

DOCS = Path(__file__).parent.parent / "docs"
ALERTS: list[dict[str, Any]] = yaml.safe_load((DOCS / "monitoring/alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((DOCS / "monitoring/dashboard.json").read_text())
QUERIES = [alert["expr"] for alert in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
FAMILIES = {family.name: family for family in Metrics().registry.collect()}
WORKERS = {meters.FILES, meters.BYTES, meters.STARTED, meters.REVIVED}
"""What workers count; Temporal's SDK offers it."""


def family_of(sample: str) -> Any:
    """The family that a sample's name belongs to; None where there is none."""
    return FAMILIES.get(sample) or FAMILIES.get(re.sub(r"_(total|bucket|count|sum)$", "", sample))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_metrics_that_exist(query: str) -> None:
    names = re.findall(r"\b(?:consignor|process)_\w+", query)
    assert names
    assert [name for name in names if name not in WORKERS and family_of(name) is None] == []


def test_no_metric_is_left_out_of_the_documentation() -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    ours = [*WORKERS, *(name for name in FAMILIES if name.startswith("consignor_"))]
    shortened = {"consignor_order_status_mean_seconds", "consignor_orders_held_up_oldest_seconds"}
    assert [name for name in ours if name not in page and name not in shortened] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_leads_to_its_page_of_the_runbook(alert: dict[str, Any]) -> None:
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (.+)$", (DOCS.parent / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["labels"]["severity"] in {"critical", "warning"}


def test_the_panels_of_the_dashboard_lie_beside_one_another() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
