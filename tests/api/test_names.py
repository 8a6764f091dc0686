"""Names of people: staff see whose an order is and who acted, and customers see nobody's but their own."""

from datetime import UTC, datetime
from uuid import UUID

from httpx2 import AsyncClient

from models.tables import TimelineRow
from tests.api.conftest import MakeProduct
from tests.factories import Sessions
from tests.issuer import Issuer


async def test_staff_read_names_and_customers_their_own(
    anonymous: AsyncClient, issuer: Issuer, make_product: MakeProduct, sessions: Sessions
) -> None:
    await make_product()
    kim, ada = (
        {"Authorization": f"Bearer {issuer.token(person, name=name)}"}
        for person, name in (("kim", "Kim Winter"), ("ada", "Ada Lang"))
    )
    body = {"items": [{"product": "scenes"}], "draft": True}
    placed = (await anonymous.post("/orders", json=body, headers=kim)).json()
    assert placed["customer"] is None
    order = f"/orders/{placed['id']}"
    changed = (await anonymous.patch(order, json={"label": "Ice"}, headers=ada)).json()
    assert changed["customer"]["name"] == "Kim Winter"
    (listed,) = (await anonymous.get("/orders", headers=ada)).json()["items"]
    assert listed["customer"]["name"] == "Kim Winter"
    assert (await anonymous.get("/orders", headers=kim)).json()["items"][0]["customer"] is None
    me = (await anonymous.get("/me", headers=ada)).json()
    row = TimelineRow(
        order_id=UUID(placed["id"]),
        sequence=2,
        at=datetime.now(UTC),
        actor=f"operator:{me['id']}",
        what="paused",
        status_after="draft",
    )
    async with sessions.begin() as session:
        session.add(row)
    for reader, names in ((kim, ["Kim Winter", None]), (ada, ["Kim Winter", "Ada Lang"])):
        rows = (await anonymous.get(f"{order}/timeline", headers=reader)).json()["items"]
        assert [row["actor_name"] for row in rows] == names
    nameless = {"Authorization": f"Bearer {issuer.token('kim', name=None)}"}
    await anonymous.get("/me", headers=nameless)
    assert (await anonymous.get(order, headers=ada)).json()["customer"] == {**listed["customer"], "name": None}
