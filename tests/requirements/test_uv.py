from requirements.uv import uv_environment


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
