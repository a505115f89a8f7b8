"""What the edge costs a message, against bare `validate_json` on the same bytes.

    .venv/bin/python -m benchmarks.edge_cost

Goal: at most 2x. Method: records as aiokafka gives them (two-line sales), opened by the edge in
batches of 500 (decoded, judged, sorted to their route, with time and trace), against pydantic's
validator alone over the same bytes, its messages kept too; rounds of the two alternate in one
process, and the ratio of their medians is what counts. The part of the edge that is once a
batch (transaction, positions, commit) is measured by benchmarks.till_to_decision.
"""

from __future__ import annotations

import json
import statistics
import time
import uuid
from typing import Annotated

from aiokafka.structs import ConsumerRecord
from pydantic import Field, TypeAdapter

from runtime.edge.batch import Opener
from runtime.incoming import Route
from schemas.pos import SaleCancelled, SaleRecorded, SaleRequested

BATCH = 500
ROUNDS = 60


def sale(number: int) -> bytes:
    """A sale of two lines, as a till writes it."""
    return json.dumps(
        {
            "type": "sale.requested", "sale_id": str(uuid.uuid4()), "environment": 2890,
            "terminal": "bar-01", "account": f"2890{number % 100:04}",
            "at": "2026-11-23T20:15:00+01:00", "currency": "EUR", "total": 1080,
            "lines": [
                {"description": "Pils 25 cl", "quantity": "2", "unit_price": 250,
                 "vat_rate": "21", "total": 500},
                {"description": "Friet met mayonaise", "quantity": "1", "unit_price": 580,
                 "vat_rate": "9", "total": 580},
            ],
        }
    ).encode()  # fmt: skip


async def _nothing(batch: object, tx: object) -> list[object]:
    return []


def main() -> None:
    values = [sale(number) for number in range(BATCH)]
    headers = (("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    records = [
        ConsumerRecord("pos.sales", 0, offset, 1_795_000_000_000, 1, b"2890:1", value, None,
                       6, len(value), headers)
        for offset, value in enumerate(values)
    ]  # fmt: skip
    takes = (SaleRequested, SaleRecorded, SaleCancelled)
    opener = Opener("authorizer", [Route(topic="pos.sales", takes=takes, handler=_nothing)])  # type: ignore[arg-type]
    of_till = SaleRequested | SaleRecorded | SaleCancelled
    bare_reader = TypeAdapter[object](Annotated[of_till, Field(discriminator="type")])
    validate = bare_reader.validator.validate_json
    bare: list[float] = []
    edge: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        messages = [validate(value) for value in values]
        middle = time.perf_counter()
        batch = opener.open(records)
        batch.groups()
        bare.append(middle - started)
        edge.append(time.perf_counter() - middle)
        del messages, batch
    bare_us = statistics.median(bare) / BATCH * 1e6
    edge_us = statistics.median(edge) / BATCH * 1e6
    print(f"bare validate_json  {bare_us:6.2f} us a message")
    print(f"the edge            {edge_us:6.2f} us a message")
    print(f"ratio               {edge_us / bare_us:6.2f}  (goal: at most 2)")


if __name__ == "__main__":
    main()
