"""Random runs with many ties, scored by pytrec_eval, for src/metrics/parity.test.ts.

    python metrics_golden.py OUT.json [RUNS]         (needs pytrec_eval or pytrec_eval-terrier)

The committed file holds 24 runs. The full check of 1,000:
    python metrics_golden.py /tmp/parity.json 1000 && ISOFLOP_METRICS_GOLDEN=/tmp/parity.json node tests/run.mjs parity
Judgements are graded, some 0 or negative; some queries have none that is relevant, some are missing from the run, some documents unjudged;
ids sort differently by UTF-16 unit than by byte. Scores are few, so that most documents tie, and exact in float32, as pytrec_eval compares them.
"""

import json
import multiprocessing
import random
import sys

import pytrec_eval

CUTOFFS = [1, 2, 3, 5, 10, 100]
FAMILIES = ["ndcg_cut", "map_cut", "P", "recall", "success"]
MEASURES = {"ndcg", "map", "recip_rank"} | {f"{family}.{','.join(map(str, CUTOFFS))}" for family in FAMILIES}
SPECIAL = ["\ue000", "\uffff", "\U00010000", "\U0001f600", "\u00e9", "\ud7ff"]


def document_ids(rng: random.Random, count: int) -> list[str]:
    ids: set[str] = set()
    while len(ids) < count:
        plain = f"d{rng.randrange(10 ** rng.randint(1, 4))}"
        ids.add(plain + (rng.choice(SPECIAL) if rng.random() < 0.2 else ""))
    return sorted(ids)


def one_query(rng: random.Random) -> tuple[dict[str, int], dict[str, float]]:
    ids = document_ids(rng, rng.randint(1, 24))
    grades = rng.choice([[0, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [-2, -1, 0], [0], [1], [0, 0, 0, 4]])
    judged = {i: rng.choice(grades) for i in ids if rng.random() < 0.7} or {ids[0]: 0}
    if max(judged.values()) < -1:  # pytrec_eval 0.5.11 crashes (SIGSEGV) on a query all of whose grades are below -1
        judged[next(iter(judged))] = 0
    scores = rng.choice([[0.0], [0.0, 1.0], [-1.5, 0.25, 3.0, 1e6], [i / 4 for i in range(40)]])
    retrieved = {i: rng.choice(scores) for i in ids if rng.random() < 0.8} or {ids[0]: 0.0}
    return judged, retrieved


def one_case(seed: int) -> dict:
    rng = random.Random(seed)
    queries = {f"q{n}": one_query(rng) for n in range(rng.randint(2, 3))}
    qrels = {query: judged for query, (judged, _) in queries.items()}
    run = {query: retrieved for query, (_, retrieved) in queries.items() if query == "q0" or rng.random() < 0.85}
    values = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
    return {"qrels": qrels, "run": run, "values": values}


def main(out: str, count: int) -> None:
    # A process of its own for each case: pytrec_eval 0.5.11 keeps state between evaluators, and after some hundred of them may never return.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        cases = pool.map(one_case, range(17, 17 + count), chunksize=1)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(cases, file, ensure_ascii=True, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 24)
