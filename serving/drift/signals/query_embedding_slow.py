"""The topics of questions over a longer time: a small share of new topics shows in more questions."""

from serving.drift.signals.query_embedding import QueryEmbedding


class SlowQueryEmbedding(QueryEmbedding):
    name = "query_embedding_slow"
    windows = 4
