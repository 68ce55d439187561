"""Downloads over a real server: whole, or one clear error."""

import socket

import pytest

from preprocessing.errors import BackboneError
from preprocessing.progress import LOGGER
from trainer.backbones.download import compressed_url, download

ADVICE = (
    "  See: download the .tar.gz elsewhere and write `hub:PATH`, or pin `digest:` and bring the "
    "store of a machine that has it; once vendored, no run needs the network"
)


def refusal(tmp_path, url, **options):
    with pytest.raises(BackboneError) as caught:
        download(url, tmp_path / "file", **options)
    return str(caught.value)


def test_the_request_is_the_one_that_tensorflow_hub_makes(
    tmp_path, server, answer, tar, monkeypatch
):
    import tensorflow_hub as hub

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    server.answers["/google/model/1"] = answer(body=tar([("saved_model.pb", b"x")]))
    for url in (server.url("/google/model/1"), server.url("/google/model/1?a=b%20c")):
        hub.resolve(url)
        download(url, tmp_path / "file")
    assert server.asked[0::2] == server.asked[1::2]
    assert server.asked[0] == "/google/model/1?tf-hub-format=compressed"


def test_a_query_of_the_url_is_kept():
    url = compressed_url("https://h/m?access=1")
    assert url == "https://h/m?access=1&tf-hub-format=compressed"


def test_the_body_is_written_and_its_progress_reported(tmp_path, server, answer, caplog):
    server.answers["/m"] = answer(body=b"x" * 2_000_000)
    with caplog.at_level("INFO", logger=LOGGER.name):
        download(server.url("/m"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"x" * 2_000_000
    last = caplog.records[-1]
    assert (last.graft_stage, last.graft_done, last.graft_total) == (
        "Backbone",
        2_000_000,
        2_000_000,
    )


def test_redirects_are_followed(tmp_path, server, answer):
    server.answers["/m"] = answer(303, headers=[("Location", server.url("/elsewhere"))])
    server.answers["/elsewhere"] = answer(body=b"abc")
    download(server.url("/m"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "it refuses access (a private model, a licence to be accepted, or a proxy)"),
        (404, "it knows no such model or version"),
        (500, "Internal Server Error"),
    ],
)
def test_a_refusal_of_the_server_is_explained(tmp_path, server, answer, status, reason):
    server.answers["/m"] = answer(status)
    url = server.url("/m")
    assert refusal(tmp_path, url) == (
        f"The server answered {status}: {reason}.\n  Received: {url!r}\n{ADVICE}"
    )


def test_a_body_that_ends_early_is_refused(tmp_path, server, answer):
    server.answers["/m"] = answer(body=b"x" * 10, announced=20)
    url = server.url("/m")
    assert refusal(tmp_path, url) == (
        f"The download broke off after 10 of 20 bytes; run again.\n  Received: {url!r}\n{ADVICE}"
    )


def test_a_body_without_end_is_cut_short(tmp_path, server, answer, monkeypatch):
    from trainer.backbones import download as module

    monkeypatch.setattr(module, "MAX_BYTES", 99)
    server.answers["/m"] = answer(body=b"x" * 100, announced=-1)
    assert refusal(tmp_path, server.url("/m")).startswith("The download is larger than 99 bytes.")


def test_no_network_is_one_clear_error(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/m"
    assert refusal(tmp_path, url) == (
        f"No answer from the network: [Errno 111] Connection refused.\n"
        f"  Received: {url!r}\n{ADVICE}"
    )


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/m"
        assert "No answer from the network: timed out." in refusal(
            tmp_path, url, timeout_seconds=0.2
        )
