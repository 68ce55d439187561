import pytest

from requirements.uv import is_recent, uv_environment


def test_pips_index_reaches_uv_from_its_file_and_its_variables():
    settings = [
        "global.index-url='https://one.example/simple'",
        "global.timeout='60'",
        ":env:.index-url='https://two.example/simple'",
        "install.extra-index-url='https://a.example https://b.example'",
        "global.trusted-host='a.example'",
        "global.disable-pip-version-check='1'",
    ]

    assert uv_environment(settings, {"HOME": "/root"}) == {
        "HOME": "/root",
        "UV_DEFAULT_INDEX": "https://two.example/simple",
        "UV_HTTP_TIMEOUT": "60",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_INSECURE_HOST": "a.example",
    }


def test_what_uv_is_told_itself_wins():
    environ = {"UV_DEFAULT_INDEX": "https://mine.example/simple"}

    assert uv_environment(["global.index-url='https://pip.example'"], environ) == environ


def test_local_paths_that_do_not_exist_are_left_out_because_uv_refuses_them(tmp_path):
    settings = [f"global.find-links='/no/such/wheels {tmp_path}'", "global.cert='/no/such.crt'"]

    assert uv_environment(settings, {}) == {"UV_FIND_LINKS": str(tmp_path)}


@pytest.mark.parametrize(
    ("said", "recent"),
    [("uv 0.13.8 (x86_64)", True), ("uv 0.8.0", True), ("uv 0.7.22", False), ("", False)],
)
def test_a_uv_that_is_too_old_is_not_used(said, recent):
    assert is_recent(said) is recent
