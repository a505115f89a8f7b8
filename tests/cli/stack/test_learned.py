"""What java learned is kept and used; what it can't use does no harm."""

from pathlib import Path

from cli.stack import jars, kafka
from cli.stack.kafka import Kafka
from tests.support.learned import learn
from tests.support.run import current
from tests.support.servers import Server, new_kafka


def classes_of(command: list[str]) -> list[str]:
    return [word for word in command if word.startswith("-XX:AOT")]


def test_a_broker_is_started_with_what_was_learned(tmp_path: Path) -> None:
    node = new_kafka(tmp_path)  # which learns, if nobody has
    known = kafka.learned(jars.class_path(jars.repository()))
    assert known.stat().st_size > 10_000_000
    assert classes_of(node.program().command) == [f"-XX:AOTCache={known}"]


def test_other_jars_are_other_classes() -> None:
    assert kafka.learned("/a/kafka.jar") != kafka.learned("/b/kafka.jar")


async def test_what_is_learned_already_is_not_learned_again(tmp_path: Path) -> None:
    new_kafka(tmp_path)
    known = kafka.learned(jars.class_path(jars.repository()))
    before = known.stat().st_mtime_ns
    await learn(current().note)
    assert known.stat().st_mtime_ns == before


async def test_a_file_that_java_cannot_use_is_left_alone(tmp_path: Path) -> None:
    node = new_kafka(tmp_path)
    known = kafka.learned(jars.class_path(jars.repository()))
    (bad := tmp_path / "bad.aot").write_bytes(known.read_bytes()[:1_000_000])

    class Misled(Kafka):
        def _java(
            self, jars_folder: Path, *, heap_mb: int, learns: Path | None = None
        ) -> list[str]:
            words = super()._java(jars_folder, heap_mb=heap_mb, learns=learns)
            return [f"-XX:AOTCache={bad}" if word.startswith("-XX:AOT") else word for word in words]

    server = Server(
        Misled(
            folder=node.folder, port=node.port, controller_port=node.controller_port, log=node.log
        )
    )
    await server.start()  # it has answered
    await server.stop()
