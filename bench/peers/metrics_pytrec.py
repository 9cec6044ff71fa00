"""Scores a run with pytrec_eval, reading both files with its own readers: python metrics_pytrec.py QRELS RUN. Prints means as JSON, missing queries as 0."""

import json
import sys

import pytrec_eval

MEASURES = {"ndcg_cut.10", "recall.100", "map", "recip_rank", "P.10"}


def main(qrels_path: str, run_path: str) -> None:
    with open(qrels_path) as file:
        qrels = pytrec_eval.parse_qrel(file)
    with open(run_path) as file:
        run = pytrec_eval.parse_run(file)
    values = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
    names = sorted(next(iter(values.values())))
    print(json.dumps({name: sum(row[name] for row in values.values()) / len(qrels) for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
