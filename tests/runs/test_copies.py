"""The copy beside a run: signed for it, limited in size, and read without ever being unpickled."""

from __future__ import annotations

import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from planning.lx import dump_model
from planning.models import Run, RunCopy
from planning.runs import CopyTooLarge, execute, start_run
from planning.runs.copies import load_copy, read_copy, store_copy
from tests.factories import make_furniture
from tests.formulation.small_plants import baseline

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    """Return a queued run of the furniture workshop."""
    return start_run(baseline(make_furniture()), here=True)


def assert_altered(run: Run) -> None:
    """Assert that the run fails, and that it says why."""
    ended = execute(run.pk, run.attempt)
    assert ended.state == "failed"
    assert "altered" in ended.reason
    assert ended.objective is None


def write_content(run: Run, content: bytes) -> None:
    RunCopy.objects.filter(run=run).update(content=content)


class TestAltered:
    @pytest.mark.parametrize("place", [0, 31, 32, 100, -1])
    def test_a_flipped_bit_is_seen(self, place: int, run: Run) -> None:
        content = bytearray(run.copy.content)
        content[place] ^= 1
        write_content(run, bytes(content))
        assert_altered(run)

    @pytest.mark.parametrize("size", [0, 10, 32, 200])
    def test_a_copy_that_is_cut_off_is_seen(self, size: int, run: Run) -> None:
        write_content(run, bytes(run.copy.content)[:size])
        assert_altered(run)

    def test_the_copy_of_another_run_is_seen(self, run: Run) -> None:
        other = start_run(baseline(run.plant), here=True)
        write_content(run, bytes(other.copy.content))
        assert_altered(run)

    def test_a_missing_copy_is_seen(self, run: Run) -> None:
        RunCopy.objects.all().delete()
        assert_altered(run)

    @pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"size": 10}])
    def test_another_checksum_or_size_is_seen(self, change: dict[str, Any], run: Run) -> None:
        RunCopy.objects.filter(run=run).update(**change)
        assert_altered(run)

    def test_a_copy_that_is_no_compressed_data_is_seen(self, run: Run) -> None:
        run.copy.delete()
        store_copy(run, b"not compressed", "0" * 64, 14)
        assert_altered(run)

    def test_a_copy_with_something_after_its_end_is_seen(self, run: Run) -> None:
        """Even where whoever wrote it holds the key."""
        data = read_copy(run) + b"\0" * 8
        self.store_again(run, data)
        assert_altered(run)

    def test_a_pickle_is_not_executed(self, run: Run, tmp_path: Path) -> None:
        """Even where whoever wrote it holds the key."""

        class Bomb:
            def __reduce__(self) -> Any:
                return os.mkdir, (str(tmp_path / "exploded"),)

        self.store_again(run, pickle.dumps(Bomb()))
        assert_altered(run)
        assert not (tmp_path / "exploded").exists()

    @staticmethod
    def store_again(run: Run, data: bytes) -> None:
        import hashlib

        run.copy.delete()
        store_copy(run, zlib.compress(data), hashlib.sha256(data).hexdigest(), len(data))


class TestSecretKeys:
    def test_an_older_key_is_accepted_while_it_is_a_fallback(self, run: Run, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "a new key"
        assert execute(run.pk, run.attempt).state == "solved"

    def test_an_older_key_is_refused_after_that(self, run: Run, settings: Any) -> None:
        settings.SECRET_KEY = "a new key"
        assert_altered(run)


class TestSize:
    def test_a_copy_over_the_limit_is_refused_in_words(self, settings: Any) -> None:
        settings.PLANNING = settings.PLANNING | {"MAX_COPY_BYTES": 1000}
        with pytest.raises(CopyTooLarge, match="MAX_COPY_BYTES"):
            start_run(baseline(make_furniture()), here=True)
        assert not Run.objects.exists()

    def test_what_unpacks_to_far_more_than_the_limit_is_not_unpacked(self, run: Run, settings: Any) -> None:
        settings.PLANNING = settings.PLANNING | {"MAX_COPY_BYTES": 10_000}
        data = b"\0" * 2_000_000
        run.copy.delete()
        store_copy(run, zlib.compress(data), "0" * 64, len(data))
        assert_altered(run)

    def test_the_size_before_compression_is_kept(self, run: Run) -> None:
        assert run.copy.size == len(read_copy(run)) == run.sizes["copy_bytes"]


def test_a_copy_read_and_written_again_is_the_same(run: Run) -> None:
    data = read_copy(run)
    assert dump_model(load_copy(data)) == data
