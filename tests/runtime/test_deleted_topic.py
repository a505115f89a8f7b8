"""A topic that somebody deletes while a worker runs."""

from aiokafka.admin import AIOKafkaAdminClient

from runtime import topics
from tests.runtime.rig import Rig, until
from tests.runtime.test_outages import ready


async def test_a_topic_that_is_deleted_under_a_worker_is_named_and_waited_for(frail: Rig) -> None:
    said = f"Kafka: missing on {frail.kafka}: invoicer.retries; create what is missing with"
    async with frail.worker() as worker:
        await until(ready(worker), "it serves", 40)
        admin = AIOKafkaAdminClient(bootstrap_servers=frail.kafka)
        await admin.start()
        try:
            await admin.delete_topics(["invoicer.retries"])
        finally:
            await admin.close()
        await until(lambda: said in str(worker.status.unready()), "it says so", 30)
        assert worker.status.dead() == []
        await topics.apply({"bootstrap_servers": frail.kafka})
        await until(ready(worker), "it serves", 40)
