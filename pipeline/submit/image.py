"""Looks whether a registry has the image, so that no run waits for one that is not there.

It asks as the OCI distribution specification says: HEAD of the manifest, with an
anonymous token where the registry wants one. A registry that only the cluster
reaches, or that wants a login, is no error: then nobody here can tell.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from preprocessing.errors import UsageError, explain

_TIMEOUT_SECONDS = 10.0
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)


def check_image(image: str, google_token: Callable[[], str] | None = None) -> str:
    """Asks the image's registry for it.

    Args:
        image: As in `docker pull`.
        google_token: Gives an access token, which only Google's registries are shown.

    Returns:
        Why nobody here can tell; empty where the image is there.

    Raises:
        UsageError: The registry says that it has no such image.
    """
    registry, name, reference = split_image(image)
    scheme = "http" if _is_local(registry) else "https"
    url = f"{scheme}://{registry}/v2/{name}/manifests/{reference}"
    headers = {"Accept": _MANIFESTS}
    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True) as client:
            answer = client.head(url, headers=headers)
            if answer.status_code == 401:
                token = _fetch_token(client, answer, registry, google_token)
                if token:
                    headers["Authorization"] = f"Bearer {token}"
                    answer = client.head(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"{registry} does not answer here: {error}"
    if answer.status_code == 404:
        what = f"{registry} has no such image: build it by `make image IMAGE=…` and push it"
        raise UsageError(explain(what, image, (), "deploy.image"))
    if answer.status_code != 200:
        return f"{registry} does not say (HTTP {answer.status_code})"
    return ""


def split_image(image: str) -> tuple[str, str, str]:
    """Splits an image's name as `docker pull` does.

    Returns:
        Registry, name in it, and tag or digest.
    """
    first, slash, rest = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "registry-1.docker.io", image if slash else f"library/{image}"
    if "@" in rest:
        name, _, reference = rest.partition("@")
        return first, name.split(":")[0], reference
    name, _, tag = rest.partition(":")
    return first, name, tag or "latest"


def _is_local(registry: str) -> bool:
    return registry.split(":")[0] in ("localhost", "127.0.0.1")


def _fetch_token(
    client: httpx.Client,
    answer: httpx.Response,
    registry: str,
    google_token: Callable[[], str] | None,
) -> str:
    """Gets the token that an answer of 401 asks for; empty where it asks for another thing."""
    asked = answer.headers.get("www-authenticate", "")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', asked))
    if not asked.lower().startswith("bearer") or "realm" not in fields:
        return ""
    realm = fields.pop("realm")
    google = registry.endswith((".pkg.dev", "gcr.io")) and urlsplit(realm).hostname == registry
    login = ("oauth2accesstoken", google_token()) if google and google_token else None
    got = client.get(realm, params=fields, auth=login or httpx.USE_CLIENT_DEFAULT)
    read = got.json() if got.status_code == 200 else None
    if not isinstance(read, dict):
        return ""
    return str(read.get("token") or read.get("access_token") or "")
