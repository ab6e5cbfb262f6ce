"""A file belongs to one process, whoever asks how often."""

from icelens.tasks.pose.watching.claims import NOBODY, Claims


def test_a_file_is_claimed_once(tmp_path):
    claims = Claims(tmp_path / "claims")
    assert claims.names() == set()
    assert claims.take("x", "a")
    assert not claims.take("x", "b")
    assert claims.owner("x") == "a"
    assert claims.names() == {"x"}


def test_what_a_dead_process_left_goes_to_one(tmp_path):
    claims = Claims(tmp_path)
    claims.take("x", "dead")
    assert claims.take_over("x", "dead", "b")
    assert not claims.take_over("x", "dead", "c")
    assert claims.owner("x") == "b"


def test_who_was_given_up_cannot_give_back_what_another_has(tmp_path):
    claims = Claims(tmp_path)
    claims.take("x", "a")
    claims.take_over("x", "a", "b")
    claims.give_back("x", "a")
    assert claims.owner("x") == "b"


def test_what_was_given_back_is_nobodys_but_stays_claimed_until_taken_over(tmp_path):
    claims = Claims(tmp_path)
    claims.take("x", "a")
    claims.give_back("x", "a")
    assert claims.owner("x") == NOBODY
    assert not claims.take("x", "b")
    assert claims.take_over("x", NOBODY, "b")
