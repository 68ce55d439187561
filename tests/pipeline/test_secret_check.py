"""Secrets in a config are refused, and not repeated."""

import pytest

from pipeline.overrides import apply_overrides
from pipeline.secret_check import check_secrets
from pipeline.yaml_source import read_yaml
from preprocessing.errors import ConfigError

# Put together here so that no scanner takes this file for a leak.
LETTERS = "aB3dE5gH7jK9mN1pQ3sT"
SECRETS = {
    "a key that asks for one": (
        "backbone: {arguments: {api_key: x1}}",
        "api_key looks like a secret",
    ),
    "a Hugging Face token": (f"handle: hf_{LETTERS}", "handle looks like a token"),
    "a GitHub token": (f"handle: 'ghp_{LETTERS}'", "handle looks like a token"),
    "an AWS key": ("handle: AKIA" + "ABCDEFGH12345678", "handle looks like an access key"),
    "a password in a URL": (
        f"handle: 'hub:https://me:{LETTERS}@host/m'",
        "handle looks like a password in a URL",
    ),
    "a signed URL": (f"handle: 'hub:https://h/m?sig={LETTERS}'", "handle looks like a token"),
    "a private key": (
        "handle: '-----BEGIN RSA " + "PRIVATE KEY-----'",
        "handle looks like a private key",
    ),
    "a secret in a list": (f"items: [a, hf_{LETTERS}]", "items.1 looks like a token"),
}


@pytest.mark.parametrize(("text", "what"), SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_refused_and_not_shown(text, what):
    with pytest.raises(ConfigError) as caught:
        check_secrets(read_yaml(text, "a.yaml"))
    message = str(caught.value)
    assert message.startswith("a.yaml, line 1: ")
    assert f"{what}; a config is no place for secrets\n  Received: (not shown)\n" in message
    assert LETTERS not in message


def test_a_secret_in_an_override_is_not_shown_either():
    document = apply_overrides(read_yaml("a: 1", "a.yaml"), [f"handle=hf_{LETTERS}"])
    with pytest.raises(ConfigError) as caught:
        check_secrets(document)
    assert LETTERS not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "handle: 'hub:https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5'",
        "handle: 'hub:https://host:8443/model.tar.gz?tf-hub-format=compressed'",
        "digest: 'sha256:" + "0123456789abcdef" * 4 + "'",
        "data: {source: {path: data/tokens}}",
        "monkey: banana",
        "password: ''",
    ],
)
def test_what_only_resembles_a_secret_passes(text):
    check_secrets(read_yaml(text, "a.yaml"))
