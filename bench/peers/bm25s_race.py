"""bm25s as a racing partner of bench/bm25.ts: one JSON command a line on stdin, one JSON answer a line on stdout.

    python bench/peers/bm25s_race.py CORPUS.jsonl QUERIES.txt --backend numba|numpy [--no-stem]

{"do": "index"}            tokenizes and indexes the corpus, which is in memory already
{"do": "search", "k": 10}  retrieves for every query, tokens prepared
{"do": "rss"}              -> {"megabytes"}, the most so far

Every answer has "seconds" and "cpuSeconds". One thread throughout; numba functions are compiled before anything is timed.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["DISABLE_TQDM"] = "1"

import argparse
import json
import resource
import sys
import time

import bm25s
import Stemmer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("queries")
    parser.add_argument("--backend", choices=["numba", "numpy"], required=True)
    parser.add_argument("--no-stem", action="store_true")
    options = parser.parse_args()
    with open(options.corpus, encoding="utf-8") as lines:
        corpus = [(d["title"] + " " + d["text"]).strip() for d in map(json.loads, lines)]
    with open(options.queries, encoding="utf-8") as lines:
        queries = [line.rstrip("\n") for line in lines]
    stemmer = Stemmer.Stemmer("porter") if not options.no_stem else None

    def tokenize(texts):
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    def new_model():
        model = bm25s.BM25(method="lucene", k1=0.9, b=0.4, backend=options.backend)
        if options.backend == "numba":
            model.activate_numba_scorer()
            model.activate_numba_csc()
        return model

    warm = new_model()
    warm.index(tokenize(corpus[:200]), show_progress=False)
    warm.retrieve(tokenize(queries[:2]), k=10, n_threads=1, show_progress=False)
    model = None
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        start, cpu = time.perf_counter(), time.process_time()
        if command["do"] == "index":
            model = None  # the memory of two would be counted else
            model = new_model()
            model.index(tokenize(corpus), show_progress=False)
        elif command["do"] == "search":
            k = min(command["k"], len(corpus))
            tokens = tokenize(queries)
            start, cpu = time.perf_counter(), time.process_time()
            model.retrieve(tokens, k=k, n_threads=1, show_progress=False)
        elif command["do"] == "rss":
            answer = {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        answer["seconds"] = time.perf_counter() - start
        answer["cpuSeconds"] = time.process_time() - cpu
        print(json.dumps(answer), flush=True)


main()
