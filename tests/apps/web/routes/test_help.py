"""Help, and the programming interface as a page."""

from icelens.apps.web.routes.help import operations


def test_help_names_keys_and_jobs(client):
    text = client.get("/help").text
    assert "<kbd>j</kbd>" in text
    assert "/jobs/new?job=restore.refine" in text


def test_the_interface_is_listed_with_each_question(client):
    document = client.get("/api/openapi.json").json()
    text = client.get("/help/api").text
    for path in document["paths"]:
        assert f"<code>{path}</code>" in text
    assert "&lt;script" not in text


def test_every_question_says_in_a_sentence_what_it_is_for(client):
    document = client.get("/api/openapi.json").json()
    for group in operations(document).values():
        for each in group:
            assert each.summary.strip(), each.path
