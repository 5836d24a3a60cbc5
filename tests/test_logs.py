"""What log lines say beside their message, and how they are written."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from planning.api.request_ids import RequestIds
from planning.logs import AddFacts, JSONLines, ReadableLines, known_facts, saying

Log = tuple[logging.Logger, io.StringIO]


def written(formatter: logging.Formatter) -> Iterator[Log]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(AddFacts())
    logger = logging.Logger("planning.test")
    logger.addHandler(handler)
    yield logger, stream
    handler.close()


@pytest.fixture
def as_json() -> Iterator[Log]:
    """Return a logger and what it wrote, as JSON."""
    yield from written(JSONLines())


@pytest.fixture
def readable() -> Iterator[Log]:
    """Return a logger and what it wrote, as lines."""
    yield from written(ReadableLines())


def only_line(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_a_line_says_what_is_known_where_it_is_logged(as_json: Log) -> None:
    logger, stream = as_json
    with saying(run=12, attempt=1), saying(user="anna", request=""):
        logger.info("solved after %s s", 3)
    line = only_line(stream)
    assert line["message"] == "solved after 3 s"
    assert {name: line[name] for name in ("run", "attempt", "user")} == {"run": 12, "attempt": 1, "user": "anna"}
    assert "request" not in line
    assert str(line["time"]).endswith("Z")


def test_its_own_facts_come_before_those(as_json: Log) -> None:
    logger, stream = as_json
    with saying(run=12, user="anna"):
        logger.info("moved", extra={"run": 13})
    assert only_line(stream)["run"] == 13
    assert only_line(stream)["user"] == "anna"


def test_a_fault_stays_one_line(as_json: Log) -> None:
    logger, stream = as_json
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("it failed")
    assert "ValueError: two\nlines" in str(only_line(stream)["exception"])


def test_people_read_the_same_behind_the_message(readable: Log) -> None:
    logger, stream = readable
    logger.info("nothing known")
    with saying(run=12, request="abcd1234"):
        logger.warning("it waits")
    first, second = stream.getvalue().splitlines()
    assert first.endswith("INFO planning.test nothing known")
    assert second.endswith("WARNING planning.test it waits [run=12 request=abcd1234]")


def test_what_was_said_ends_with_its_block() -> None:
    with saying(run=12):
        pass
    assert known_facts() == {}


def test_a_thread_says_only_its_own() -> None:
    heard: list[dict[str, object]] = []
    with saying(run=12):
        thread = threading.Thread(target=lambda: heard.append(known_facts()))
        thread.start()
        thread.join()
    assert heard == [{}]


def test_djangos_own_lines_carry_the_name_of_their_request(as_json: Log) -> None:
    logger, stream = as_json
    request = RequestFactory().get("/", headers={"X-Request-ID": "proxy-0001"})
    RequestIds(lambda request: HttpResponse())(request)
    logger.warning("Not Found: /", extra={"request": request, "status_code": 404})
    assert only_line(stream)["request"] == "proxy-0001"


@pytest.mark.django_db
class TestRequestIds:
    def test_a_proxys_name_is_taken(self, client: Client) -> None:
        response = client.get("/admin/login/", headers={"X-Request-ID": "proxy-0001"})
        assert response["X-Request-ID"] == "proxy-0001"

    @pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space 123", 'quote"12345', "line\nbreak1"])
    def test_what_a_log_can_not_hold_is_not_taken(self, given: str, client: Client) -> None:
        made = client.get("/admin/login/", headers={"X-Request-ID": given})["X-Request-ID"]
        assert made != given
        assert len(made) == 16
