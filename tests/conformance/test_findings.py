"""Every finding is excepted with a reason or wrong, and no exception outlives its finding."""

from tests.conformance.findings import Exempt, Finding, exceptions, judged

LOGIN = Finding("redocly", "operation-2xx-response", "#/paths/login/get", "no 2xx")
EXCEPTED = [Exempt("redocly", "operation-2xx-response", "/login/", "it redirects")]


def test_a_finding_is_wrong_unless_its_tool_rule_and_place_are_excepted() -> None:
    other = Finding("redocly", "operation-2xx-response", "#/paths/orders/get", "no 2xx")
    assert judged([LOGIN], ["redocly"], EXCEPTED) == []
    assert judged([LOGIN, other], ["redocly"], EXCEPTED) == [str(other)]


def test_an_exception_that_nothing_needs_is_wrong_where_its_tool_was_asked() -> None:
    assert len(judged([], ["redocly"], EXCEPTED)) == 1
    assert judged([], ["redbot"], EXCEPTED) == []


def test_each_exception_of_the_project_gives_its_reason() -> None:
    assert all(len(one.why) > 20 for one in exceptions())
