"""The measurement of searches, small: the same objects are asked for in all three ways."""

import psycopg

from bench import catalogue, objects
from tests.databases import Databases

FEW = 400


async def test_the_measurement_of_searches_asks_all_three_ways_for_the_same_objects(databases: Databases) -> None:
    url = databases.migrated("bench_catalogue")
    objects.load(url, FEW)
    found = await catalogue.measure(url, FEW, 2, 1)
    assert list(found) == [case.name for case in catalogue.cases(FEW)]
    assert {tuple(map(len, times)) for times in found.values()} == {(2, 1, 1)}
    with psycopg.connect(url) as connection:
        for table, column in (("stac_items", "content -> 'properties' ->> 'title'"), ("catalogue_objects", "search")):
            query = f"SELECT count(*) FROM {table} WHERE {column} ILIKE '%{objects.RARE}%'"
            assert connection.execute(query.encode()).fetchone() == (20,)
