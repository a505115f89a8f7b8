"""Alerts and dashboard ask for what a worker really tells, and lead to what the runbook says."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from runtime.settings import SERVICES as WORKERS
from runtime.status import Status
from tests.deploy.files import DEPLOY, ROOT

GROUPS = yaml.safe_load((DEPLOY / "alerts" / "onaccount.rules.yaml").read_text("utf-8"))["groups"]
RULES: dict[str, dict[str, Any]] = {rule["alert"]: rule for g in GROUPS for rule in g["rules"]}
BOARD = json.loads((DEPLOY / "dashboards" / "onaccount.json").read_text("utf-8"))
PANELS = {panel["title"]: panel for panel in BOARD["panels"] if panel["type"] != "row"}
OF_THE_SCRAPE = {"service", "namespace", "instance"}
FAMILY = re.compile(r"\b((?:onaccount|process)_\w+)(?:\{([^}]*)\})?")
BY = re.compile(r"\bby \(([^)]*)\)")
PAIR = re.compile(r'(\w+)\s*(?:=~|=|!=)\s*"([^"]*)"')


def expressions() -> Iterator[tuple[str, str]]:
    for name, rule in RULES.items():
        yield name, rule["expr"]
    for title, panel in PANELS.items():
        for target in panel["targets"]:
            yield title, target["expr"]


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """{name of a series: its labels} of all that the four workers export."""
    for worker in WORKERS:
        import_module(f"services.{worker}.__main__")
    found: dict[str, set[str]] = {}
    for series, collector in REGISTRY._names_to_collectors.items():
        more = {"le"} if series.endswith("_bucket") else set()
        found[series] = {*getattr(collector, "_labelnames", ()), *more}
    return found


def unknown(expression: str, told: dict[str, set[str]]) -> set[str]:
    """Series and labels of an expression that no worker exports."""
    wrong, labels = set[str](), set[str]()
    for series, selector in FAMILY.findall(expression):
        if series not in told:
            wrong.add(series)
            continue
        labels |= told[series]
        named = {label for label, _ in PAIR.findall(selector)}
        wrong |= named - told[series] - OF_THE_SCRAPE
    for names in BY.findall(expression):
        wrong |= {one.strip() for one in names.split(",")} - labels - OF_THE_SCRAPE
    return wrong


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_series_and_label_is_one_that_a_worker_exports(
    where: str, expression: str, told: dict[str, set[str]]
) -> None:
    assert FAMILY.search(expression), where
    assert unknown(expression, told) == set()


def test_a_series_or_a_label_that_nobody_exports_is_found(told: dict[str, set[str]]) -> None:
    assert unknown("rate(onaccount_sails_total[5m])", told) == {"onaccount_sails_total"}
    assert unknown('onaccount_jobs_total{ende="failed"}', told) == {"ende"}
    assert unknown("sum by (service, wherefore) (onaccount_ready)", told) == {"wherefore"}


def test_every_value_that_is_asked_for_stands_in_the_code() -> None:
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("runtime", "services", "schemas")
        for file in (ROOT / folder).rglob("*.py")
    )
    for where, expression in expressions():
        for label, value in PAIR.findall(expression):
            if label == "service":
                assert value in {*WORKERS, "$service"}, where
            elif label == "cause":  # of onaccount_stopped
                assert Status().stopped_by(value) is False
                assert 'for cause in ("store", "code")' in code
                assert value in {"store", "code"}
            elif label == "lane":  # they are numbered where there are several
                assert f'name="{value.removesuffix(".*")}"' in code, where
            else:
                assert f'"{value}"' in code, f"{where}: {value}"


@pytest.mark.parametrize("name", RULES)
def test_every_alert_says_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = RULES[name]
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    kept = set.union(*({x.strip() for x in by.split(",")} for by in BY.findall(rule["expr"])))
    said = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    assert said <= kept


def test_a_service_that_is_gone_is_noticed_whichever_it_is() -> None:
    gone = set(re.findall(r'absent\(onaccount_ready\{service="(\w+)"\}\)', str(RULES)))
    assert gone == set(WORKERS)
    scraped = yaml.safe_load((DEPLOY / "alerts" / "prometheus.yaml").read_text("utf-8"))
    jobs = {
        job["relabel_configs"][0]["replacement"]: job["dns_sd_configs"][0]["names"]
        for job in scraped["scrape_configs"]
    }
    assert jobs == {worker: [worker] for worker in WORKERS}
    assert scraped["rule_files"] == ["onaccount.rules.yaml"]


def test_the_rules_own_test_names_rules_that_exist() -> None:
    tried = (DEPLOY / "alerts" / "onaccount.test.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(tried)["rule_files"] == ["onaccount.rules.yaml"]
    assert set(re.findall(r'alertname="(\w+)"', tried)) <= set(RULES)


def test_each_rule_is_seen_to_fire_and_to_be_silent_in_the_rules_own_test() -> None:
    """Of what is expected there: who is named fires, who is asked for and not named is silent."""
    tried = yaml.safe_load((DEPLOY / "alerts" / "onaccount.test.yaml").read_text("utf-8"))
    fire, silent = set[str](), set[str]()
    for each in (one for test in tried["tests"] for one in test["promql_expr_test"]):
        asked = re.search(r'alertname=~?"([^"]+)"', each["expr"])
        whose = {name for name in RULES if asked is None or re.fullmatch(asked[1], name)}
        named = set(re.findall(r'alertname="(\w+)"', str(each["exp_samples"])))
        fire |= named
        silent |= whose - named
    assert fire == set(RULES)
    assert silent == set(RULES)


def test_batches_are_shown_lane_by_lane() -> None:
    """Together the many quick ones of one lane would hide the slow ones of another."""
    shown = [(title, t["expr"]) for title, p in PANELS.items() for t in p["targets"]]
    of_batches = [expr for _, expr in shown if re.search("onaccount_batch_(seconds|records)", expr)]
    assert len(of_batches) == 4
    assert all("lane" in by for expr in of_batches for by in BY.findall(expr))


def test_every_panel_is_readable_and_asks_the_source_that_was_chosen() -> None:
    variables = {one["name"] for one in BOARD["templating"]["list"]}
    assert variables == {"datasource", "service"}
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for title, panel in PANELS.items():
        assert panel["description"], title
        assert panel["fieldConfig"]["defaults"]["unit"], title
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        said = {
            name for t in panel["targets"] for name in re.findall(r"{{(\w+)}}", t["legendFormat"])
        }
        assert said <= OF_THE_SCRAPE | set(re.findall(r"\w+", str(panel["targets"][0]["expr"])))
