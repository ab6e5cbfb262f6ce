"""Tests of apps/web/request_values.py."""

import pytest

from icelens.apps.web.request_values import NumberError, job_numbers


@pytest.mark.parametrize("text", ["3,5", "J3, j5", "3 5 3", ",3,,5,"])
def test_numbers_of_jobs_are_read_as_people_write_them(text: str) -> None:
    assert job_numbers(text) == [3, 5]


@pytest.mark.parametrize("text", ["-3", "3.5", "JJ3", "٣", "1" * 16, "3;5", "\0"])
def test_what_names_no_job_is_refused(text: str) -> None:
    with pytest.raises(NumberError, match="is no number of a job; expected such as 3,5"):
        job_numbers(text)


def test_no_text_names_no_jobs() -> None:
    assert job_numbers("") == []
