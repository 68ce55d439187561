"""What registries say of an image, and what follows."""

import pytest

from pipeline.cli import main
from pipeline.submit.image import check_image, split_image
from preprocessing.errors import UsageError
from tests.pipeline.submit.service import Service


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("debian", ("registry-1.docker.io", "library/debian", "latest")),
        ("acme/graft:1", ("registry-1.docker.io", "acme/graft", "1")),
        ("localhost:5001/graft", ("localhost:5001", "graft", "latest")),
        ("eu-docker.pkg.dev/acme/ml/graft:1.4", ("eu-docker.pkg.dev", "acme/ml/graft", "1.4")),
        ("gcr.io/acme/graft:1@sha256:0a", ("gcr.io", "acme/graft", "sha256:0a")),
    ],
)
def test_an_images_name_is_split_as_docker_does(image, parts):
    assert split_image(image) == parts


@pytest.fixture
def place(registry):
    return registry.url.removeprefix("http://")


def test_an_image_that_is_not_there_is_said_before_anything_is_started(
    registry, compiled, capfd, monkeypatch
):
    registry.on("HEAD", "/v2/", (404, ""))
    with Service() as kubeflow:
        kubeflow.on("GET", "/healthz", (200, {}))
        kubeflow.on("GET", "/apis", (200, {}))
        assert main(["submit", str(compiled("kubeflow", endpoint=kubeflow.url))]) == 2
        assert not kubeflow.bodies("POST", "/")
    assert (
        "has no such image: build it by `make image IMAGE=…` and push it" in capfd.readouterr().err
    )


def test_an_image_that_is_there_is_asked_for_by_its_manifest(registry, place):
    assert check_image(f"{place}/acme/graft:1") == ""
    assert registry.asked[0].path == "/v2/acme/graft/manifests/1"
    assert "oci.image.index" in registry.asked[0].headers["accept"]


def test_a_token_is_fetched_where_the_registry_wants_one(registry, place):
    """As public registries do: 401, a token for anybody, and then the answer."""
    realm = f'Bearer realm="{registry.url}/token",service="r",scope="repository:graft:pull"'
    registry.headers["WWW-Authenticate"] = realm
    registry.on("GET", "/token", (200, {"token": "t0k"}))
    registry.on("HEAD", "/v2/", (401, ""))
    assert check_image(f"{place}/graft") == f"{place} does not say (HTTP 401)"
    assert registry.asked[1].path.startswith("/token?service=r&scope=repository")
    assert registry.asked[2].headers["authorization"] == "Bearer t0k"


def test_googles_token_is_shown_to_nobody_else(registry, place):
    registry.headers["WWW-Authenticate"] = f'Bearer realm="{registry.url}/token"'
    registry.on("HEAD", "/v2/", (401, ""))
    registry.on("GET", "/token", (200, {"token": "t0k"}))

    def secret():
        raise AssertionError

    check_image(f"{place}/graft", secret)
    assert "authorization" not in registry.asked[1].headers


def test_a_registry_that_nobody_here_reaches_is_no_error():
    assert check_image("127.0.0.1:1/graft").startswith("127.0.0.1:1 does not answer here: ")


def test_a_missing_image_is_an_error_of_its_own(registry, place):
    registry.on("HEAD", "/v2/", (404, ""))
    with pytest.raises(
        UsageError, match="\n  Received: '127.0.0.1:.*/graft:1'\n  See: deploy.image"
    ):
        check_image(f"{place}/graft:1")


@pytest.mark.parametrize("token", ["null", "[]", "{}", "<html>"])
def test_a_registry_whose_token_is_none_is_no_error(token, registry, place):
    registry.headers["WWW-Authenticate"] = f'Bearer realm="{registry.url}/token"'
    registry.on("GET", "/token", (200, token))
    registry.on("HEAD", "/v2/", (401, ""))
    assert place in check_image(f"{place}/graft")
