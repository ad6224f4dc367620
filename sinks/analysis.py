"""How the indices of Elasticsearch analyse what they hold. Money is in minor units, times are epoch ms.

The analysis keeps to what every distribution of Elasticsearch holds: no `search_as_you_type` and no
`scaled_float`; words that are being typed match by edge n-grams. What is searched comes folded from the sink
(`sinks.search.words`); the index stems it with Porter's second stemmer and keeps stop words, as PostgreSQL's
document does: the t of "t-light" is a word.
"""

from typing import Any

KEYWORD = {"type": "keyword", "ignore_above": 512}
LONG = {"type": "long"}
DATE = {"type": "date", "format": "epoch_millis"}
WORDS = {"type": "text", "analyzer": "stems"}
TYPED = {"type": "text", "analyzer": "beginnings", "search_analyzer": "plain"}

_ANALYSIS: dict[str, Any] = {
    "char_filter": {
        # What is neither letter nor digit parts words, as in `sinks.search.words`.
        "spaced": {"type": "pattern_replace", "pattern": "[^\\p{L}\\p{M}\\p{N}]", "replacement": " "}
    },
    "filter": {
        "beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": 20},
        "stems": {"type": "stemmer", "language": "porter2"},
    },
    "analyzer": {
        name: {
            "type": "custom",
            "char_filter": ["spaced"],
            "tokenizer": "whitespace",
            "filter": ["lowercase", "asciifolding", *more],
        }
        for name, more in {"plain": [], "stems": ["stems"], "beginnings": ["beginnings"]}.items()
    },
    "normalizer": {"lower": {"type": "custom", "filter": ["lowercase"]}},
}

# Said, and not left to the default: an index of which nobody asks for half a minute would else be refreshed
# by the next to ask, who waits for it. Deletions are remembered for as long as their elders may come late.
CHANGEABLE = {"refresh_interval": "1s", "gc_deletes": "1h"}

SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1", "analysis": _ANALYSIS}
