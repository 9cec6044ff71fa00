"""Scores of bm25s on given tokens, for all five variants.

    python bm25s_scores.py golden OUT.json              random tokens and their scores, for src/bm25/parity.test.ts
    python bm25s_scores.py score TOKENS.json OUT.f64    scores of a real collection, for bench/bm25Parity.ts

TOKENS.json is {"documents": [[token]], "queries": [[token]], "parameters": [{"variant", "k1", "b", "delta"}]}; OUT.f64 holds raw float64
numbers, little-endian: for each choice of parameters, each query and each document its score. bm25s computes in float64 here (default:
float32).
"""

import json
import random
import sys

import bm25s
import numpy as np

SEED = 17
VARIANTS = ["lucene", "robertson", "atire", "bm25l", "bm25+"]


def scores(documents, queries, variant, k1, b, delta):
    """One row a query, one column a document."""
    model = bm25s.BM25(method=variant, k1=k1, b=b, delta=delta, backend="numpy", dtype="float64")
    model.index(documents, show_progress=False)
    known = [[token for token in query if token in model.vocab_dict] for query in queries]
    zero = np.zeros(len(documents), dtype=np.float64)
    return np.stack([model.get_scores(query) if query else zero for query in known]).astype("<f8")


def random_tokens(rng):
    words = [f"w{i}" for i in range(30)]
    weights = [1 / (i + 1) for i in range(30)]
    documents = [rng.choices(words, weights, k=rng.choice([1, 2, 5, 9, 20, 45, 80])) for _ in range(24)]
    queries = [rng.choices(words, k=rng.randint(1, 6)) for _ in range(5)] + [["w0", "w3", "w3"]]
    return documents, queries


def golden(path):
    documents, queries = random_tokens(random.Random(SEED))
    cases = []
    for variant in VARIANTS:
        for k1, b, delta in [(0.9, 0.4, 0.5), (1.5, 0.75, 1.0)]:
            table = scores(documents, queries, variant, k1, b, delta)
            rows = [[round(float(x), 8) for x in row] for row in table]
            cases.append({"variant": variant, "k1": k1, "b": b, "delta": delta, "scores": rows})
    content = {
        "generator": f"bm25s {bm25s.__version__}",
        "documents": [" ".join(tokens) for tokens in documents],
        "queries": [" ".join(tokens) for tokens in queries],
    }
    with open(path, "w", encoding="utf-8") as out:
        head = json.dumps(content)
        out.write(head[:-1] + ', "cases": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")


def score(source, path):
    with open(source, encoding="utf-8") as file:
        given = json.load(file)
    with open(path, "wb") as out:
        for parameters in given["parameters"]:
            out.write(scores(given["documents"], given["queries"], **parameters).tobytes())


if __name__ == "__main__":
    if sys.argv[1] == "golden":
        golden(sys.argv[2])
    else:
        score(sys.argv[2], sys.argv[3])
