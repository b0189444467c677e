"""What values say of search and ingest reaches both, and what they may connect to."""

from tests.charts.helm import of_kind


def test_search_and_ingest_have_one_tenancy() -> None:
    for value in ("Dedicated", "Shared"):
        deployments = of_kind("default", "Deployment", f"milvus.tenancy={value}")
        sets = of_kind("default", "StatefulSet", f"milvus.tenancy={value}")
        for part in ("retrieval", "ingest"):
            pod = {**deployments, **sets}[f"quiver-{part}"]["spec"]["template"]["spec"]
            item = {"name": f"QUIVER_{part.upper()}_MILVUS_TENANCY", "value": value}
            assert item in pod["containers"][0]["env"]


def test_search_may_have_a_reranker_and_reaches_it() -> None:
    settings = ("retrieval.reranker.url=http://ranker.models:8000", "retrieval.reranker.model=bge",
                "retrieval.reranker.tokenSecret=ranker")  # fmt: skip
    container = of_kind("default", "Deployment", *settings)["quiver-retrieval"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    environment = {
        item["name"].partition("_RERANKER")[2]: item for item in container["env"] if "RERANKER" in item["name"]
    }
    assert environment[""]["value"] == "http://ranker.models:8000"
    assert environment["_MODEL"]["value"] == "bge"
    assert environment["_TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": "ranker", "key": "token"}
    assert environment["_SECONDS"]["value"] == "0.3"
    egress = of_kind("default", "NetworkPolicy", *settings)["quiver-retrieval"]["spec"]["egress"]
    assert {"ports": [{"protocol": "TCP", "port": 8000}]} in egress


def test_search_and_ingest_may_have_an_embedder_by_address_and_reach_it() -> None:
    settings = ("retrieval.embedder=http://embedder.models:8080", "retrieval.embedderServer.model=bge-m3",
                "retrieval.embedderServer.queryPrefix=query: ", "retrieval.embedderServer.tokenSecret=key")  # fmt: skip
    for part, prefix in (("quiver-retrieval", "QUIVER_RETRIEVAL"), ("quiver-ingest", "QUIVER_INGEST")):
        pod = {**of_kind("default", "Deployment", *settings), **of_kind("default", "StatefulSet", *settings)}[part]
        environment = {item["name"]: item for item in pod["spec"]["template"]["spec"]["containers"][0]["env"]}
        assert environment[f"{prefix}_EMBEDDER"]["value"] == "http://embedder.models:8080"
        assert environment[f"{prefix}_EMBEDDER_MODEL"]["value"] == "bge-m3"
        assert environment[f"{prefix}_EMBEDDER_QUERY_PREFIX"]["value"] == "query: "
        assert environment[f"{prefix}_EMBEDDER_TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": "key", "key": "token"}
        egress = of_kind("default", "NetworkPolicy", *settings)[part]["spec"]["egress"]
        assert {"ports": [{"protocol": "TCP", "port": 8080}]} in egress
