import os
import sysconfig

import pytest

from pipeline.machine import (
    compile_error,
    find_compiler,
    install_command,
    read_available_memory,
    read_distribution,
    read_glibc,
)

MEMINFO = "MemTotal: 24000000 kB\nMemAvailable:   20000000 kB\n"


def test_a_distribution_is_known_by_its_own_name_and_its_parents(tmp_path):
    release = tmp_path / "os-release"
    release.write_text('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')

    assert read_distribution(release) == ("linuxmint", "ubuntu", "debian")
    assert read_distribution(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("distribution", "package", "expected"),
    [
        (("debian",), "compiler", "sudo apt-get install g++"),
        (("ubuntu", "debian"), "headers", "sudo apt-get install python3.12-dev"),
        (("fedora",), "headers", "sudo dnf install python3.12-devel"),
        (("rocky", "rhel", "fedora"), "compiler", "sudo dnf install gcc-c++"),
        ((), "venv", "sudo apt-get install python3.12-venv"),
    ],
)
def test_a_package_is_installed_as_the_distribution_does_it(distribution, package, expected):
    assert install_command(distribution, package, "3.12") == expected


def test_glibc_is_read_as_two_numbers():
    glibc = read_glibc()

    assert glibc is not None
    assert glibc >= (2, 28)


def test_a_compiler_with_headers_compiles_and_without_them_says_why(tmp_path):
    compiler = find_compiler()

    assert compile_error(compiler, sysconfig.get_paths()["include"]) == ""
    assert "Python.h" in compile_error(compiler, str(tmp_path))


def test_a_compiler_that_cannot_start_says_why(tmp_path):
    broken = tmp_path / "c++"
    broken.write_text("#!/nowhere\n")
    broken.chmod(0o755)

    assert "No such file" in compile_error(str(broken), "/usr/include")


def test_the_compiler_is_the_one_that_cxx_names(tmp_path, monkeypatch):
    mine = tmp_path / "my-c++"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("CXX", str(mine))
    assert find_compiler() == str(mine)

    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "empty"))
    assert find_compiler() is None


def test_available_memory_is_the_smaller_of_the_machine_and_the_container(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert read_available_memory(meminfo, tmp_path) == 20_000_000 * 1024

    (tmp_path / "memory.max").write_text("4000000000\n")
    (tmp_path / "memory.current").write_text("1000000000\n")
    assert read_available_memory(meminfo, tmp_path) == 3_000_000_000

    (tmp_path / "memory.max").write_text("max\n")
    assert read_available_memory(meminfo, tmp_path) == 20_000_000 * 1024


def test_unknown_memory_is_none(tmp_path):
    assert read_available_memory(tmp_path / "none", tmp_path) is None
