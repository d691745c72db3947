"""aiokafka as a guest of the fake: sends records and waits for all.

Arguments: bootstrap servers, topic, codec, idempotent (true or false), how many, Kafka's release.
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer


async def main():
    bootstrap, topic, codec, idempotent, count = sys.argv[1:6]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        enable_idempotence=idempotent == "true",
        acks="all",
    )
    await producer.start()
    try:
        sent = [
            await producer.send(topic, key=b"key-%d" % (n % 7), value=b"value-%d" % n)
            for n in range(int(count))
        ]
        await asyncio.wait_for(asyncio.gather(*sent), 30)
    finally:
        await producer.stop()


asyncio.run(main())
