"""Every usual way to write where a server is."""

import pytest

from preprocessing.errors import UsageError
from serving.client.target import Target, is_target, parse_target

FORMS = (
    "http://HOST:PORT/v1/models/NAME, http://HOST:PORT with --name, grpc://HOST:PORT/NAME, "
    "HOST:PORT with --name (gRPC)"
)


@pytest.mark.parametrize(
    ("text", "name", "target"),
    [
        ("http://h:8501/v1/models/m", None, ("rest", "http://h:8501", "m", None)),
        ("http://h:8501/v1/models/m:predict", None, ("rest", "http://h:8501", "m", None)),
        ("https://h/v1/models/m/versions/3", None, ("rest", "https://h", "m", 3)),
        ("http://h:8501/v1/models/a%20b", None, ("rest", "http://h:8501", "a b", None)),
        ("http://h:8501", "m", ("rest", "http://h:8501", "m", None)),
        ("http://h:8501/", "m", ("rest", "http://h:8501", "m", None)),
        ("grpc://h:8500/m", None, ("grpc", "h:8500", "m", None)),
        ("grpc://h:8500/m/3", None, ("grpc", "h:8500", "m", 3)),
        ("h:8500/m", None, ("grpc", "h:8500", "m", None)),
        ("h:8500", "m", ("grpc", "h:8500", "m", None)),
        ("[::1]:8500", "m", ("grpc", "[::1]:8500", "m", None)),
    ],
)
def test_an_address_is_understood(text, name, target):
    assert is_target(text)
    assert parse_target(text, name) == Target(*target)


@pytest.mark.parametrize("text", ["serving/flowers", "/a/b", "C:/models", "gs://bucket/m", "m"])
def test_a_folder_is_no_server(text):
    assert not is_target(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("http://h:8501", "The address does not name the model"),
        ("h:8500", "The address does not name the model"),
        ("http://h:8501/v2/models/m", "The path is not one of a model"),
        ("http://h:8501/v1/models/m?x=1", "This is no server's address"),
        ("http://", "This is no server's address"),
        ("http://:8501/v1/models/m", "This is no server's address"),
        ("http://[::1/v1/models/m", "This is no server's address"),
        ("http://h:port/v1/models/m", "This is no server's address"),
        ("grpc://h:99999/m", "This is no server's address"),
    ],
)
def test_a_wrong_address_is_explained(text, what):
    with pytest.raises(UsageError) as refused:
        parse_target(text)
    assert str(refused.value).startswith(f"{what}\n  Received: '{text}'\n  Valid: {FORMS}")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("http://localhost:1", True),
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("http://10.0.0.1:1", False),
        ("h:1", False),
    ],
)
def test_this_machine_is_told_from_others(address, loopback):
    assert Target("rest", address, "m", None).is_loopback is loopback
