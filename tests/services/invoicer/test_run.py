"""A run, from what was sold to invoices that were mailed, on a real PostgreSQL and SMTP."""

from tests.services.invoicer.world import BEER, ENV, LUNCH, World, asked, said, sale, types
from tests.support.mails import MailServer


async def test_a_run_issues_numbers_documents_and_mails(world: World, smtp: MailServer) -> None:
    await world.guests("A1", "A2")
    await world.sell(sale("A1", BEER, LUNCH), sale("A2", BEER))
    told = await world.run()
    issued = said(told, "invoice.issued")
    assert [i["number"] for i in issued] == ["2026-00001", "2026-00002"]
    assert [i["total"] for i in issued] == [1950, 700]
    assert issued[0]["vat"] == [
        {"rate": "21", "base": 579, "vat": 121, "gross": 700},
        {"rate": "9", "base": 1147, "vat": 103, "gross": 1250},
    ]
    (completed,) = said(told, "run.completed")
    assert (completed["issued"], completed["sent"], completed["total"]) == (2, 2, 2650)
    assert completed["open"] == []
    assert types(told).count("invoice.sent") == 2
    assert len(smtp.mails) == 2
    names = [part.get_filename() for part in smtp.mails[0].iter_attachments()]
    number = names[0][:-4]
    assert names == [f"{number}.pdf", f"{number}.xlsx", f"{number}.xml"]
