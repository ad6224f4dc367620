"""The test peer is a real Elasticsearch with what the search views need."""

import httpx


def test_the_peer_answers_and_suggests(elasticsearch: str) -> None:
    index = f"{elasticsearch}/stack-peer"
    with httpx.Client(timeout=60) as client:
        mapping = {"mappings": {"properties": {"suggest": {"type": "completion"}}}}
        assert client.put(index, json=mapping).status_code == 200
        document = client.put(
            f"{index}/_doc/1?refresh=true", json={"suggest": "lantern", "name": "red lantern"}
        )
        assert document.status_code == 201
        query = {"query": {"match": {"name": {"query": "lanten", "fuzziness": "AUTO"}}}}
        hits = client.post(f"{index}/_search", json=query).json()["hits"]["hits"]
        assert [hit["_id"] for hit in hits] == ["1"]
        stale = client.put(f"{index}/_doc/2?version=3&version_type=external", json={"name": "x"})
        assert stale.status_code == 201
        stale = client.put(f"{index}/_doc/2?version=2&version_type=external", json={"name": "y"})
        assert stale.status_code == 409
        client.delete(index)
