"""The story that the demo tells, chapter by chapter, over the topics as anyone would."""

from __future__ import annotations

from cli.demo.back_office import allow_on_account, import_the_members, open_the_venue
from cli.demo.bar import sell, special_cases
from cli.demo.month import invoice_the_month
from cli.demo.scene import Scene, Told


async def tell(scene: Scene) -> Told:
    """All chapters; raises Trouble where it can't go on."""
    for chapter in (
        open_the_venue,
        import_the_members,
        allow_on_account,
        sell,
        special_cases,
        invoice_the_month,
    ):
        await chapter(scene)
    return scene.told
